import type { KeyObject } from 'node:crypto';
import { SymbolonError } from '#core/errors/error';
import { encodeCertificate, encodeCertificateVerify, encodeHandshake } from './encode.ts';
import { type AuthenticatorRequest, BINDING_EXTENSION, HANDSHAKE_TYPE } from './message.ts';
import { pickScheme, signByScheme } from './scheme.ts';
import type { AuthenticatorSecrets } from './secrets.ts';
import { finishedMac, signedContent } from './transcript.ts';

/**
 * Answers the other end's request (RFC 9261 section 7.3): proves possession of the leaf's key on this connection, and signs `binding` in
 * the leaf's entry. The caller sees to it that a context is answered once. Throws AUTHENTICATOR_INVALID for a request of this end itself,
 * one that did not ask for our extension, or one whose schemes the key cannot use.
 */
export async function signAuthenticator(
  secrets: AuthenticatorSecrets,
  request: AuthenticatorRequest,
  identity: { readonly chain: readonly Uint8Array[]; readonly privateKey: KeyObject },
  binding: Uint8Array,
): Promise<Buffer> {
  if (request.madeBy === secrets.role) {
    throw new SymbolonError('AUTHENTICATOR_INVALID', `a request of the TLS ${request.madeBy} is answered by the other end only`, {
      rule: 'direction',
    });
  }
  if (!request.extensions.some((e) => e.type === BINDING_EXTENSION)) {
    throw new SymbolonError('AUTHENTICATOR_INVALID', 'the request does not ask for the binding extension', { rule: 'extension' });
  }
  const scheme = pickScheme(request.schemes, identity.privateKey);
  if (!scheme) {
    const kind = identity.privateKey.asymmetricKeyType ?? 'unknown';
    throw new SymbolonError('AUTHENTICATOR_INVALID', `none of the requested signature schemes fits a key of type ${kind}`, {
      rule: 'scheme',
    });
  }
  const extensions = [{ type: BINDING_EXTENSION, data: binding }];
  const entries = identity.chain.map((der, i) => ({ der, extensions: i === 0 ? extensions : [] }));
  const certificate = encodeCertificate(request.context, entries);
  const signature = await signByScheme(scheme, identity.privateKey, signedContent(secrets.hash, secrets.local, request.bytes, certificate));
  const certificateVerify = encodeCertificateVerify(scheme.code, signature);
  const mac = finishedMac(secrets.hash, secrets.local, request.bytes, certificate, certificateVerify);
  return Buffer.concat([certificate, certificateVerify, encodeHandshake(HANDSHAKE_TYPE.finished, mac)]);
}
