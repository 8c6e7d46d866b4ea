import { timingSafeEqual } from 'node:crypto';
import { SymbolonError } from '#core/errors/error';
import type { X509Svid } from '#core/spiffe/svid';
import { type Authenticator, type AuthenticatorRequest, bindingOf } from './message.ts';
import { schemeFitsKey, schemeOf, verifyByScheme } from './scheme.ts';
import type { AuthenticatorSecrets } from './secrets.ts';
import { finishedMac, signedContent } from './transcript.ts';

function refuse(rule: string, message: string): never {
  throw new SymbolonError('AUTHENTICATOR_INVALID', message, { rule });
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * Validates the other end's answer to `request`, a request of this end that the caller has just taken out of its ledger (RFC 9261 section
 * 7.4), and that it binds `binding`. In the order of cost: form, Finished, the chain by `verifySvid`, the signature. Returns the SVID whose
 * key was proven. Throws AUTHENTICATOR_INVALID, or what `verifySvid` throws.
 */
export async function validateAuthenticator(
  secrets: AuthenticatorSecrets,
  authenticator: Authenticator,
  request: AuthenticatorRequest,
  binding: Uint8Array,
  verifySvid: (chain: readonly Uint8Array[]) => X509Svid,
): Promise<X509Svid> {
  const a = authenticator;
  if (request.madeBy !== secrets.role) refuse('direction', `the request is of the TLS ${request.madeBy}, not of this end`);
  if (!a.context.equals(request.context)) refuse('context', 'the authenticator answers another request');
  for (const entry of a.entries) {
    for (const e of entry.extensions) {
      if (!request.extensions.some((r) => r.type === e.type)) refuse('extension', `extension ${e.type} was not requested`);
    }
  }
  const scheme = request.schemes.includes(a.scheme) ? schemeOf(a.scheme) : undefined;
  if (!scheme) return refuse('scheme', `signature scheme 0x${a.scheme.toString(16)} was not offered`);
  const mac = finishedMac(secrets.hash, secrets.remote, request.bytes, a.certificate, a.certificateVerify);
  if (!equal(a.verifyData, mac)) refuse('finished', 'Finished does not belong to this connection and request');
  const bound = bindingOf(a);
  if (!bound || !equal(bound, binding)) refuse('binding', 'the authenticator does not bind the terms that came with it');

  const svid = verifySvid(a.entries.map((e) => e.der));
  if (!schemeFitsKey(scheme, svid.publicKey)) refuse('scheme', `${scheme.name} does not fit the key of ${svid.id}`);
  const content = signedContent(secrets.hash, secrets.remote, request.bytes, a.certificate);
  if (!(await verifyByScheme(scheme, svid.publicKey, content, a.signature)))
    refuse('signature', `CertificateVerify of ${svid.id} does not verify`);
  return svid;
}
