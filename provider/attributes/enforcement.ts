import { SymbolonError } from '#core/errors/error';
import { ENFORCEMENTS } from '#core/registration/entry';
import type { Enforcement as EnforcementMessage } from '#proto/gen/symbolon/authority/types';
import * as wire from '#wire/enforcement';
import { oneOf } from './one-of.ts';

/** `off`, `inbound` or `all`. */
export const ENFORCEMENT = oneOf(ENFORCEMENTS);

/** The message's value for an attribute's word; null is "not said". */
export function enforcementToMessage(word: string | null): EnforcementMessage {
  return wire.enforcementToMessage(ENFORCEMENTS.find((enforcement) => enforcement === word));
}

/** The attribute's word for a message's value. Throws ENTRY_INVALID for one that this provider does not know. */
export function enforcementFromMessage(message: EnforcementMessage): string | null {
  const enforcement = wire.enforcementFromMessage(message, (why) => {
    throw new SymbolonError('ENTRY_INVALID', `${why}; this provider is older than the authority, upgrade it`, {
      field: 'enforcement',
      value: String(message),
    });
  });
  return enforcement ?? null;
}
