/** TLS handshake types (RFC 8446 section 4; 17: RFC 9261 section 4, a request made by the TLS client). */
export const HANDSHAKE_TYPE = {
  certificate: 11,
  certificateRequest: 13,
  certificateVerify: 15,
  clientCertificateRequest: 17,
  finished: 20,
} as const;

/** RFC 8446 section 4.2.3. */
export const SIGNATURE_ALGORITHMS = 13;
/** Ours, from the private-use range of TLS ExtensionType values: binds what is agreed to an authenticator. */
export const BINDING_EXTENSION = 0xffea;

export type TlsRole = 'client' | 'server';

export interface Extension {
  readonly type: number;
  readonly data: Uint8Array;
}

/** An authenticator request (RFC 9261 section 4). `bytes` is exactly what enters the transcript. */
export interface AuthenticatorRequest {
  readonly bytes: Uint8Array;
  readonly madeBy: TlsRole;
  readonly context: Buffer;
  readonly extensions: readonly Extension[];
  readonly schemes: readonly number[];
}

export interface CertificateEntry {
  readonly der: Uint8Array;
  readonly extensions: readonly Extension[];
}

/** An authenticator (RFC 9261 section 5) with the exact bytes of its messages. */
export interface Authenticator {
  readonly context: Buffer;
  /** Leaf first. */
  readonly entries: readonly CertificateEntry[];
  readonly certificate: Uint8Array;
  readonly certificateVerify: Uint8Array;
  readonly scheme: number;
  readonly signature: Uint8Array;
  readonly verifyData: Uint8Array;
}

/** The data of our private extension in the leaf's entry, or undefined. */
export function bindingOf(authenticator: Authenticator): Uint8Array | undefined {
  return authenticator.entries[0]?.extensions.find((e) => e.type === BINDING_EXTENSION)?.data;
}
