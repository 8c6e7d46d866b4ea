import { SymbolonError } from '#core/errors/error';

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const MAX_LENGTH = 253;

/**
 * Parses a DNS name as it may stand in a certificate: labels without a final dot (RFC 1123 section 2.1), the first of which may be `*`. Case means nothing:
 * it is answered in lower case. Throws ENTRY_INVALID.
 */
export function parseDnsName(text: string): string {
  const name = text.toLowerCase();
  const labels = name.replace(/^\*\./, '').split('.');
  if (name.length <= MAX_LENGTH && labels.every((label) => LABEL.test(label))) return name;
  throw new SymbolonError(
    'ENTRY_INVALID',
    `dns_names ${JSON.stringify(text)} is not a DNS name; expected labels like payments.east.example`,
    {
      field: 'dns_names',
      value: text,
    },
  );
}
