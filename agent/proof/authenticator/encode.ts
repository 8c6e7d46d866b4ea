import { Writer } from '../wire/writer.ts';
import { type CertificateEntry, type Extension, HANDSHAKE_TYPE, SIGNATURE_ALGORITHMS, type TlsRole } from './message.ts';

/** A handshake message: type, 24-bit length, body (RFC 8446 section 4). */
export function encodeHandshake(type: number, body: Uint8Array): Buffer {
  return new Writer().uint(type, 1).vector(body, 3).done();
}

function encodeExtensions(extensions: readonly Extension[]): Buffer {
  const out = new Writer();
  for (const e of extensions) out.uint(e.type, 2).vector(e.data, 2);
  return out.done();
}

function signatureAlgorithms(schemes: readonly number[]): Extension {
  const list = new Writer();
  for (const code of schemes) list.uint(code, 2);
  return { type: SIGNATURE_ALGORITHMS, data: new Writer().vector(list.done(), 2).done() };
}

/** An authenticator request made by the end of the TLS connection that `madeBy` names (RFC 9261 section 4). */
export function encodeRequest(request: {
  readonly madeBy: TlsRole;
  readonly context: Uint8Array;
  readonly schemes: readonly number[];
  readonly extensions: readonly Extension[];
}): Buffer {
  const type = request.madeBy === 'server' ? HANDSHAKE_TYPE.certificateRequest : HANDSHAKE_TYPE.clientCertificateRequest;
  const extensions = encodeExtensions([signatureAlgorithms(request.schemes), ...request.extensions]);
  return encodeHandshake(type, new Writer().vector(request.context, 1).vector(extensions, 2).done());
}

/** The Certificate message (RFC 8446 section 4.4.2). */
export function encodeCertificate(context: Uint8Array, entries: readonly CertificateEntry[]): Buffer {
  const list = new Writer();
  for (const e of entries) list.vector(e.der, 3).vector(encodeExtensions(e.extensions), 2);
  return encodeHandshake(HANDSHAKE_TYPE.certificate, new Writer().vector(context, 1).vector(list.done(), 3).done());
}

/** The CertificateVerify message (RFC 8446 section 4.4.3). */
export function encodeCertificateVerify(scheme: number, signature: Uint8Array): Buffer {
  return encodeHandshake(HANDSHAKE_TYPE.certificateVerify, new Writer().uint(scheme, 2).vector(signature, 2).done());
}
