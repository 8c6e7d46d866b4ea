import { ENFORCEMENTS } from '#core/registration/entry';
import { Enforcement } from '#proto/gen/symbolon/authority/types';
import { oneOf } from './one-of.ts';

/** `off`, `inbound` or `all`. */
export const ENFORCEMENT = oneOf(ENFORCEMENTS);

const MESSAGES: Readonly<Record<string, Enforcement>> = {
  off: Enforcement.ENFORCEMENT_OFF,
  inbound: Enforcement.ENFORCEMENT_INBOUND,
  all: Enforcement.ENFORCEMENT_ALL,
};

/** The message's word for an attribute's value; null is "not said". */
export function enforcementToMessage(value: string | null): Enforcement {
  return (value === null ? undefined : MESSAGES[value]) ?? Enforcement.ENFORCEMENT_UNSPECIFIED;
}

/** The attribute's value for a message's. */
export function enforcementFromMessage(message: Enforcement): string | null {
  return Object.keys(MESSAGES).find((word) => MESSAGES[word] === message) ?? null;
}
