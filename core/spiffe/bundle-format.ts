import type { X509Bundle } from './bundle.ts';
import { parseCertificate } from './certificate.ts';
import { publicKeyOf } from './public-key.ts';

/**
 * A bundle as a SPIFFE JSON document (Trust Domain and Bundle section 4; X509-SVID section 6.1), the inverse of parseBundleJson: one
 * element for each authority, without `kid`. Throws for an authority that is no certificate.
 */
export function formatBundleJson(bundle: X509Bundle): string {
  const keys = bundle.authorities.map(({ der }) => ({
    use: 'x509-svid',
    ...publicKeyOf(parseCertificate(der)).export({ format: 'jwk' }),
    x5c: [Buffer.from(der).toString('base64')],
  }));
  // JSON.stringify has no 64-bit integers: the sequence is written as the digits that it is.
  const members = [
    `"keys": ${JSON.stringify(keys, undefined, 2).replaceAll('\n', '\n  ')}`,
    `"spiffe_sequence": ${bundle.sequence}`,
    ...(bundle.refreshHintSeconds === undefined ? [] : [`"spiffe_refresh_hint": ${bundle.refreshHintSeconds}`]),
  ];
  return `{\n  ${members.join(',\n  ')}\n}\n`;
}
