import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SymbolonError } from '#core/errors/error';

/** SubjectPublicKeyInfo of an X25519 key without its 32 bytes (RFC 8410 section 4). */
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');
export const X25519_BYTES = 32;

/** An ephemeral X25519 key: the share to send, and the agreement with the other end's. */
export interface X25519Share {
  readonly publicBytes: Buffer;
  readonly privateKey: KeyObject;
}

export function newX25519Share(): X25519Share {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  return { publicBytes: publicKey.export({ type: 'spki', format: 'der' }).subarray(SPKI_PREFIX.length), privateKey };
}

/** The shared secret (RFC 7748 section 6.1). Throws AUTHENTICATOR_INVALID for a share of the wrong length or of low order. */
export function agreeX25519(share: X25519Share, peerBytes: Uint8Array): Buffer {
  try {
    if (peerBytes.length !== X25519_BYTES) throw new RangeError(`${peerBytes.length} bytes instead of ${X25519_BYTES}`);
    const publicKey = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, peerBytes]), format: 'der', type: 'spki' });
    return diffieHellman({ privateKey: share.privateKey, publicKey });
  } catch (cause) {
    throw new SymbolonError('AUTHENTICATOR_INVALID', 'the X25519 share of the peer cannot be agreed with', { rule: 'x25519' }, cause);
  }
}
