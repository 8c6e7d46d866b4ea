import { SymbolonError } from '#core/errors/error';

/** DER certificates as PEM, in order (RFC 7468). */
export function certificatesToPem(chain: readonly Uint8Array[]): string {
  return chain
    .map((der) => {
      const lines = Buffer.from(der)
        .toString('base64')
        .replace(/.{64}(?=.)/g, '$&\n');
      return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
    })
    .join('');
}

/** The certificates of a PEM text, DER, in order; text between them is ignored. Throws CERTIFICATE_INVALID if there is none. */
export function certificatesFromPem(pem: string): readonly Uint8Array[] {
  const blocks = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g)];
  if (blocks.length === 0) {
    throw new SymbolonError('CERTIFICATE_INVALID', 'the text holds no PEM certificate; expected a "BEGIN CERTIFICATE" block', {
      rule: 'pem',
    });
  }
  return blocks.map((block) => Buffer.from(block[1] ?? '', 'base64'));
}
