import { createPublicKey, type KeyObject } from 'node:crypto';
import { describeError, SymbolonError } from '#core/errors/error';
import { x509 } from './webcrypto.ts';

/** A request for an RSA-4096 key has about 1.7 kB. */
const MAX_CSR_BYTES = 16 * 1024;
const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1']);
const RSA_BITS = { min: 2048, max: 4096 } as const;
/** 65537, what everybody uses; small exponents have been attacked, huge ones cost verifiers. */
const RSA_EXPONENT = 65_537n;

/** What a request proves and asks. */
export interface CertificationRequest {
  /** A key whose private half the requester has. */
  readonly publicKey: KeyObject;
  /** URI and DNS SANs that it asks for; only MintX509SVID looks at them. */
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
}

function fail(rule: string, why: string, cause?: unknown): never {
  throw new SymbolonError('CSR_INVALID', `the certification request ${why}`, { rule }, cause);
}

/** Refuses a key that is too weak, or too costly to verify with. Throws CSR_INVALID. */
function checkKey(key: KeyObject): void {
  const details = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec') {
    if (!CURVES.has(details.namedCurve ?? '')) fail('key', `is for the curve ${details.namedCurve}; expected P-256 or P-384`);
  } else if (key.asymmetricKeyType === 'rsa') {
    const bits = details.modulusLength ?? 0;
    if (bits < RSA_BITS.min || bits > RSA_BITS.max)
      fail('key', `is for an RSA key of ${bits} bits; expected ${RSA_BITS.min} to ${RSA_BITS.max}`);
    if (details.publicExponent !== RSA_EXPONENT)
      fail('key', `is for an RSA key with the exponent ${details.publicExponent}; expected 65537`);
  } else if (key.asymmetricKeyType !== 'ed25519') {
    fail('key', `is for a key of the type ${key.asymmetricKeyType}; expected P-256, P-384, RSA or Ed25519`);
  }
}

/** Parses a PKCS#10 request (RFC 2986), DER, and checks that whoever signed it has the key. Throws CSR_INVALID. */
export async function verifyCsr(der: Uint8Array): Promise<CertificationRequest> {
  if (der.length === 0) fail('missing', 'is missing; send PKCS#10 in DER');
  if (der.length > MAX_CSR_BYTES) fail('size', `has ${der.length} bytes; at most ${MAX_CSR_BYTES} are accepted`);
  try {
    const request = new x509.Pkcs10CertificateRequest(Uint8Array.from(der));
    const publicKey = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' });
    checkKey(publicKey);
    if (!(await request.verify())) fail('signature', 'is not signed by the key that it is for');
    const names = request.getExtension('2.5.29.17');
    const items = names instanceof x509.SubjectAlternativeNameExtension ? names.names.items : [];
    const ofType = (type: 'url' | 'dns'): readonly string[] => items.filter((name) => name.type === type).map((name) => name.value);
    return { publicKey, uris: ofType('url'), dnsNames: ofType('dns') };
  } catch (error) {
    if (error instanceof SymbolonError) throw error;
    return fail('der', `cannot be read: ${describeError(error)}`, error);
  }
}
