import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { SymbolonError } from '#core/errors/error';
import type { Certificate } from './certificate.ts';

/** What a signature is of: a certificate, or a request for one. `tbs` is the signed part, `signatureAlgorithm` a whole AlgorithmIdentifier. */
export type Signed = Pick<Certificate, 'tbs' | 'signatureAlgorithm' | 'signature'>;

const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1']);
/** Longer RSA keys cost a verifier more than a peer should be able to ask for. */
const RSA_BITS = { min: 2048, max: 8192 } as const;
const RSA_MAX_EXPONENT = 2n ** 32n;

/** The rule that a certificate breaks whose key is of a kind that is not allowed, or cannot be read. */
export const UNUSABLE_KEY = 'public-key';

/** SubjectPublicKeyInfo up to the key itself. */
const P256_PREFIX = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');
const P256_BYTES = P256_PREFIX.length + 64;

function fail(why: string): never {
  throw new SymbolonError('CERTIFICATE_INVALID', `the certificate's public key ${why}`, { rule: UNUSABLE_KEY });
}

/**
 * Imports a SubjectPublicKeyInfo of any kind. OpenSSL's decoder takes 100 µs; the usual kind of key goes round it, with the same check of the
 * point. Throws CERTIFICATE_INVALID.
 */
export function importPublicKey(info: Buffer): KeyObject {
  try {
    if (info.length === P256_BYTES && info.subarray(0, P256_PREFIX.length).equals(P256_PREFIX)) {
      const x = info.toString('base64url', P256_PREFIX.length, P256_PREFIX.length + 32);
      const y = info.toString('base64url', P256_PREFIX.length + 32);
      return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } });
    }
    return createPublicKey({ format: 'der', type: 'spki', key: info });
  } catch (error) {
    throw new SymbolonError('CERTIFICATE_INVALID', 'the public key cannot be read', { rule: UNUSABLE_KEY }, error);
  }
}

/** The public key of a certificate: P-256, P-384, RSA of 2048 to 8192 bits, or Ed25519. Throws CERTIFICATE_INVALID. */
export function publicKeyOf(certificate: Certificate): KeyObject {
  const key = importPublicKey(certificate.publicKeyInfo);
  const details = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec') {
    if (!CURVES.has(details.namedCurve ?? '')) fail(`is on the curve ${details.namedCurve}; expected P-256 or P-384`);
  } else if (key.asymmetricKeyType === 'rsa') {
    const bits = details.modulusLength ?? 0;
    if (bits < RSA_BITS.min || bits > RSA_BITS.max) fail(`has ${bits} bits; RSA keys need ${RSA_BITS.min} to ${RSA_BITS.max}`);
    if ((details.publicExponent ?? RSA_MAX_EXPONENT) >= RSA_MAX_EXPONENT) fail('has an RSA exponent of more than 32 bits');
  } else if (key.asymmetricKeyType !== 'ed25519') {
    fail(`is of the type ${key.asymmetricKeyType}; expected P-256, P-384, RSA or Ed25519`);
  }
  return key;
}

/**
 * Signature algorithms by their whole AlgorithmIdentifier. RSASSA-PSS is left out: its parameters need a parser of their own, and SPIFFE
 * issuers do not use it. SHA-1 is broken.
 */
const ALGORITHMS: ReadonlyMap<string, { readonly hash: string | null; readonly keyType: string }> = new Map([
  ['300a06082a8648ce3d040302', { hash: 'sha256', keyType: 'ec' }],
  ['300a06082a8648ce3d040303', { hash: 'sha384', keyType: 'ec' }],
  ['300a06082a8648ce3d040304', { hash: 'sha512', keyType: 'ec' }],
  ['300d06092a864886f70d01010b0500', { hash: 'sha256', keyType: 'rsa' }],
  ['300d06092a864886f70d01010c0500', { hash: 'sha384', keyType: 'rsa' }],
  ['300d06092a864886f70d01010d0500', { hash: 'sha512', keyType: 'rsa' }],
  ['300506032b6570', { hash: null, keyType: 'ed25519' }],
]);

/** True if the key signed it. Throws CERTIFICATE_INVALID for a signature algorithm that is not allowed. */
export function isSignedBy(signed: Signed, key: KeyObject): boolean {
  const algorithm = ALGORITHMS.get(signed.signatureAlgorithm.toString('hex'));
  if (!algorithm) {
    throw new SymbolonError('CERTIFICATE_INVALID', 'it is signed with an algorithm that is not allowed', {
      rule: 'algorithm',
    });
  }
  return key.asymmetricKeyType === algorithm.keyType && verify(algorithm.hash, signed.tbs, key, signed.signature);
}
