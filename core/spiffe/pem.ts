import { SymbolonError } from '#core/errors/error';
import { parseCertificate } from './certificate.ts';

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

const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';

function fail(why: string, cause?: unknown): never {
  throw new SymbolonError('CERTIFICATE_INVALID', why, { rule: 'pem' }, cause);
}

/** The certificate in what follows a BEGIN line. What the text holds is never shown: it may be a key. */
function readBlock(text: string, block: string): Uint8Array {
  const end = text.indexOf(END);
  if (end < 0) fail(`${block} has no line "${END}"`);
  const body = text.slice(0, end).replaceAll(/\s/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(body) || body.length % 4 !== 0) fail(`${block} is not base64`);
  const der = Buffer.from(body, 'base64');
  try {
    parseCertificate(der);
  } catch (error) {
    fail(`${block} is not a readable X.509 certificate`, error);
  }
  return der;
}

/**
 * The certificates of a PEM text, DER, in order; text between them is ignored. Throws CERTIFICATE_INVALID if there is none, or for the first block that is not
 * a certificate.
 */
export function certificatesFromPem(pem: string): readonly Uint8Array[] {
  const [, ...blocks] = pem.split(BEGIN);
  if (blocks.length === 0) fail('the text holds no PEM certificate; expected a "BEGIN CERTIFICATE" block');
  return blocks.map((text, i) => readBlock(text, `PEM block ${i + 1} of ${blocks.length}`));
}
