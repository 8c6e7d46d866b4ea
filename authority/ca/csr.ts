import type { KeyObject } from 'node:crypto';
import { describeError, isSymbolonError } from '#core/errors/error';
import { DerReader, TAG } from '#core/spiffe/der';
import { importPublicKey, isSignedBy } from '#core/spiffe/public-key';
import { csrFail } from './csr-fail.ts';
import { parseCsr } from './parse-csr.ts';

/** A request for an RSA-4096 key has about 1.7 kB. */
const MAX_CSR_BYTES = 4096;
const RSA_BITS = { min: 2048, max: 4096 } as const;
/** 65537, what everybody uses; small exponents have been attacked, huge ones cost verifiers. */
const RSA_EXPONENT = 65_537n;
/**
 * The AlgorithmIdentifiers of the keys that get certificates: id-ecPublicKey with prime256v1 and secp384r1 (RFC 5480), rsaEncryption (RFC 3279),
 * Ed25519 (RFC 8410). No other key is imported at all: some kinds bring parameters that cost a lot to read.
 */
const KEY_ALGORITHMS: ReadonlySet<string> = new Set([
  '301306072a8648ce3d020106082a8648ce3d030107',
  '301006072a8648ce3d020106052b81040022',
  '300d06092a864886f70d0101010500',
  '300506032b6570',
]);

/** What a request proves and asks. */
export interface CertificationRequest {
  /** A key whose private half the requester has. */
  readonly publicKey: KeyObject;
  /** URI and DNS SANs that it asks for; only MintX509SVID looks at them. */
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
}

/** The key, unless it is too weak, or too costly to verify with. Throws CSR_INVALID. */
function readKey(info: Buffer): KeyObject {
  const algorithm = new DerReader(info).enter(TAG.sequence).expect(TAG.sequence).whole.toString('hex');
  if (!KEY_ALGORITHMS.has(algorithm)) csrFail('key', 'is for a key of an unknown kind; expected P-256, P-384, RSA or Ed25519');
  const key = importPublicKey(info);
  const { modulusLength: bits = 0, publicExponent } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== 'rsa') return key;
  if (bits < RSA_BITS.min || bits > RSA_BITS.max)
    csrFail('key', `is for an RSA key of ${bits} bits; expected ${RSA_BITS.min} to ${RSA_BITS.max}`);
  if (publicExponent !== RSA_EXPONENT) csrFail('key', `is for an RSA key with the exponent ${publicExponent}; expected 65537`);
  return key;
}

/** What is wrong with a request, by what its reader throws. */
function ruleOf(error: unknown): string {
  if (!isSymbolonError(error, 'CERTIFICATE_INVALID')) return 'der';
  return error.context.rule === 'public-key' ? 'key' : 'signature';
}

/** Reads a PKCS#10 request (RFC 2986), DER, and checks that whoever signed it has the key. Throws CSR_INVALID. */
export function verifyCsr(der: Uint8Array): CertificationRequest {
  if (der.length === 0) csrFail('missing', 'is missing; send PKCS#10 in DER');
  if (der.length > MAX_CSR_BYTES) csrFail('size', `has ${der.length} bytes; at most ${MAX_CSR_BYTES} are accepted`);
  try {
    const request = parseCsr(der);
    const publicKey = readKey(request.publicKeyInfo);
    if (!isSignedBy(request, publicKey)) csrFail('signature', 'is not signed by the key that it is for');
    return { publicKey, uris: request.uris, dnsNames: request.dnsNames };
  } catch (error) {
    if (isSymbolonError(error, 'CSR_INVALID')) throw error;
    return csrFail(ruleOf(error), `cannot be read: ${describeError(error)}`, error);
  }
}
