import { SymbolonError } from '#core/errors/error';
import type { TextRule } from '../plugin/schema/attribute.ts';

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** A host name in lower case, without a final dot (RFC 1123 section 2.1); its first label may be `*`. */
export const DNS_NAME: TextRule = {
  check: (text) => {
    if (
      text.length <= 253 &&
      text
        .replace(/^\*\./, '')
        .split('.')
        .every((label) => LABEL.test(label))
    )
      return;
    throw new SymbolonError(
      'CONFIG_INVALID',
      `${JSON.stringify(text)} is not a DNS name; expected lower-case labels like payments.east.example`,
      {
        path: 'dns_names',
        value: text,
      },
    );
  },
};
