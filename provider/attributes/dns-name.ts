import { SymbolonError } from '#core/errors/error';
import { parseDnsName } from '#core/registration/dns-name';
import type { TextRule } from '../plugin/schema/attribute.ts';

/** A DNS name in lower case, as the authority gives it back. */
export const DNS_NAME: TextRule = {
  check: (text) => {
    const name = parseDnsName(text);
    if (name === text) return;
    throw new SymbolonError('ENTRY_INVALID', `${JSON.stringify(text)} has capital letters; write ${JSON.stringify(name)}`, {
      field: 'dns_names',
      value: text,
    });
  },
};
