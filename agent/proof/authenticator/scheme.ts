import { constants, type KeyObject, sign, type SignKeyObjectInput, verify } from 'node:crypto';

/** A TLS 1.3 signature scheme (RFC 8446 section 4.2.3). `hash` null: the scheme hashes by itself. */
export interface SignatureScheme {
  readonly code: number;
  readonly name: string;
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null;
  readonly keyType: 'ec' | 'rsa' | 'ed25519';
  readonly curve?: 'prime256v1' | 'secp384r1' | 'secp521r1';
}

/** Those that CertificateVerify may carry; PKCS #1 v1.5 and SHA-1 have no row. An ECDSA code fixes curve and hash. Our order of preference. */
const SCHEMES: readonly SignatureScheme[] = [
  { code: 0x0403, name: 'ecdsa_secp256r1_sha256', hash: 'sha256', keyType: 'ec', curve: 'prime256v1' },
  { code: 0x0807, name: 'ed25519', hash: null, keyType: 'ed25519' },
  { code: 0x0503, name: 'ecdsa_secp384r1_sha384', hash: 'sha384', keyType: 'ec', curve: 'secp384r1' },
  { code: 0x0603, name: 'ecdsa_secp521r1_sha512', hash: 'sha512', keyType: 'ec', curve: 'secp521r1' },
  { code: 0x0804, name: 'rsa_pss_rsae_sha256', hash: 'sha256', keyType: 'rsa' },
  { code: 0x0805, name: 'rsa_pss_rsae_sha384', hash: 'sha384', keyType: 'rsa' },
];
const MIN_RSA_BITS = 2048;

/** What our requests offer. */
export const OFFERED_SCHEMES: readonly number[] = SCHEMES.map((s) => s.code);

/** The scheme of a code point, or undefined. */
export function schemeOf(code: number): SignatureScheme | undefined {
  return SCHEMES.find((s) => s.code === code);
}

/** May a key of this kind sign by the scheme? */
export function schemeFitsKey(scheme: SignatureScheme, key: KeyObject): boolean {
  if (key.asymmetricKeyType !== scheme.keyType) return false;
  if (scheme.keyType === 'ec') return key.asymmetricKeyDetails?.namedCurve === scheme.curve;
  if (scheme.keyType === 'rsa') return (key.asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_RSA_BITS;
  return true;
}

/** The first of the offered schemes that the key can use. */
export function pickScheme(offered: readonly number[], key: KeyObject): SignatureScheme | undefined {
  for (const code of offered) {
    const scheme = schemeOf(code);
    if (scheme && schemeFitsKey(scheme, key)) return scheme;
  }
  return undefined;
}

function keyInput(scheme: SignatureScheme, key: KeyObject): SignKeyObjectInput {
  if (scheme.keyType !== 'rsa') return { key };
  // TLS 1.3: the salt is as long as the digest.
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}

/** Signs on the thread pool: the loop that renews leases goes on. */
export function signByScheme(scheme: SignatureScheme, key: KeyObject, content: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign(scheme.hash, content, keyInput(scheme, key), (error, signature) => (error ? reject(error) : resolve(signature)));
  });
}

/** Verifies on the thread pool. */
export function verifyByScheme(scheme: SignatureScheme, key: KeyObject, content: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    verify(scheme.hash, content, keyInput(scheme, key), signature, (error, valid) => (error ? reject(error) : resolve(valid)));
  });
}
