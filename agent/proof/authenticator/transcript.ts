import { createHash, createHmac } from 'node:crypto';
import type { AuthenticatorHash, RoleSecrets } from './secrets.ts';

/** RFC 9261 section 5.2.2: 64 spaces, the label, a zero byte. */
const SIGNATURE_PREFIX = Buffer.concat([Buffer.alloc(64, 0x20), Buffer.from('Exported Authenticator\0', 'latin1')]);

function digest(hash: AuthenticatorHash, parts: readonly Uint8Array[]): Buffer {
  const state = createHash(hash);
  for (const part of parts) state.update(part);
  return state.digest();
}

/** What CertificateVerify signs: RFC 9261 section 5.2.2. */
export function signedContent(hash: AuthenticatorHash, secrets: RoleSecrets, request: Uint8Array, certificate: Uint8Array): Buffer {
  return Buffer.concat([SIGNATURE_PREFIX, digest(hash, [secrets.handshakeContext, request, certificate])]);
}

/** What Finished carries: RFC 9261 section 5.2.3. */
export function finishedMac(
  hash: AuthenticatorHash,
  secrets: RoleSecrets,
  request: Uint8Array,
  certificate: Uint8Array,
  certificateVerify: Uint8Array,
): Buffer {
  const transcript = digest(hash, [secrets.handshakeContext, request, certificate, certificateVerify]);
  return createHmac(hash, secrets.finishedKey).update(transcript).digest();
}
