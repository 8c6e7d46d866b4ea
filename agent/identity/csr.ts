import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** DER tags and fixed elements of a certification request (RFC 2986 section 4). */
const SEQUENCE = 0x30;
const BIT_STRING = 0x03;
const VERSION_0 = Buffer.from('020100', 'hex');
const EMPTY_NAME = Buffer.from('3000', 'hex');
const NO_ATTRIBUTES = Buffer.from('a000', 'hex');
const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex');

/** All elements here are shorter than 65536 bytes. */
function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  const { length } = body;
  const header = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), body]);
}

/** A new P-256 key. */
export function newPrivateKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
}

/** A PKCS#10 request, DER, that proves possession of a P-256 key. It names nobody: the authority decides whose SVID the key gets. */
export function createCsr(privateKey: KeyObject): Buffer {
  const publicKeyInfo = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const info = element(SEQUENCE, VERSION_0, EMPTY_NAME, publicKeyInfo, NO_ATTRIBUTES);
  const signature = sign('sha256', info, privateKey);
  return element(SEQUENCE, info, ECDSA_WITH_SHA256, element(BIT_STRING, Buffer.of(0), signature));
}
