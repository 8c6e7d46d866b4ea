import { SymbolonError } from '#core/errors/error';
import { MAX_CHAIN_LENGTH } from '#core/spiffe/verify';
import { Reader } from '../wire/reader.ts';
import {
  type Authenticator,
  type AuthenticatorRequest,
  type CertificateEntry,
  type Extension,
  HANDSHAKE_TYPE,
  SIGNATURE_ALGORITHMS,
} from './message.ts';

function refuse(rule: string, message: string): never {
  throw new SymbolonError('AUTHENTICATOR_INVALID', message, { rule });
}

function parseExtensions(bytes: Buffer): Extension[] {
  const reader = new Reader(bytes);
  const out: Extension[] = [];
  while (reader.remaining > 0) {
    const type = reader.uint(2);
    if (out.some((e) => e.type === type)) refuse('duplicate-extension', `extension ${type} appears twice`);
    out.push({ type, data: reader.vector(2) });
  }
  return out;
}

function parseSchemes(data: Uint8Array): number[] {
  const outer = new Reader(data);
  const list = new Reader(outer.vector(2));
  outer.end();
  const out: number[] = [];
  while (list.remaining > 0) out.push(list.uint(2));
  return out.length > 0 ? out : refuse('no-schemes', 'an authenticator request offers no signature scheme');
}

/** Parses an authenticator request (RFC 9261 section 4). Throws AUTHENTICATOR_INVALID. */
export function parseRequest(bytes: Uint8Array): AuthenticatorRequest {
  const reader = new Reader(bytes);
  const type = reader.uint(1);
  if (type !== HANDSHAKE_TYPE.certificateRequest && type !== HANDSHAKE_TYPE.clientCertificateRequest) {
    return refuse('not-a-request', `handshake type ${type} is no authenticator request; expected 13 or 17`);
  }
  const body = new Reader(reader.vector(3));
  reader.end();
  const context = body.vector(1);
  const extensions = parseExtensions(body.vector(2));
  body.end();
  const offer =
    extensions.find((e) => e.type === SIGNATURE_ALGORITHMS) ?? refuse('no-schemes', 'an authenticator request has no signature_algorithms');
  const madeBy = type === HANDSHAKE_TYPE.certificateRequest ? 'server' : 'client';
  return { bytes, madeBy, context, extensions, schemes: parseSchemes(offer.data) };
}

function parseEntries(bytes: Buffer): CertificateEntry[] {
  const list = new Reader(bytes);
  const out: CertificateEntry[] = [];
  while (list.remaining > 0) {
    if (out.length === MAX_CHAIN_LENGTH) refuse('long-chain', `an authenticator carries more than ${MAX_CHAIN_LENGTH} certificates`);
    const der = list.vector(3);
    if (der.length === 0) refuse('empty-certificate', 'an authenticator carries an empty certificate');
    out.push({ der, extensions: parseExtensions(list.vector(2)) });
  }
  return out;
}

function expectType(reader: Reader, type: number, name: string): void {
  const found = reader.uint(1);
  if (found !== type) refuse('message-order', `expected ${name}, found handshake type ${found}`);
}

/**
 * Parses an authenticator: Certificate, CertificateVerify, Finished (RFC 9261 section 5). The empty authenticator (a lone Finished) is
 * refused: between agents a refusal is a verdict. Throws AUTHENTICATOR_INVALID.
 */
export function parseAuthenticator(bytes: Uint8Array): Authenticator {
  const reader = new Reader(bytes);
  expectType(reader, HANDSHAKE_TYPE.certificate, 'Certificate');
  const certificateBody = new Reader(reader.vector(3));
  const certificateEnd = reader.position;
  const context = certificateBody.vector(1);
  const entries = parseEntries(certificateBody.vector(3));
  certificateBody.end();
  if (entries.length === 0) refuse('no-certificate', 'an authenticator carries no certificate');
  expectType(reader, HANDSHAKE_TYPE.certificateVerify, 'CertificateVerify');
  const verifyBody = new Reader(reader.vector(3));
  const verifyEnd = reader.position;
  const scheme = verifyBody.uint(2);
  const signature = verifyBody.vector(2);
  verifyBody.end();
  expectType(reader, HANDSHAKE_TYPE.finished, 'Finished');
  const verifyData = reader.vector(3);
  reader.end();
  return {
    context,
    entries,
    certificate: reader.between(0, certificateEnd),
    certificateVerify: reader.between(certificateEnd, verifyEnd),
    scheme,
    signature,
    verifyData,
  };
}
