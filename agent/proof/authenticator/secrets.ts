import { createSecretKey, type KeyObject } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { SymbolonError } from '#core/errors/error';
import type { TlsRole } from './message.ts';

export type AuthenticatorHash = 'sha256' | 'sha384';

/** Keying material of the TLS connection (RFC 8446 section 7.5). `context` undefined and empty are the same in TLS 1.3. */
export type Exporter = (label: string, context: Uint8Array | undefined, length: number) => Buffer;

/** What binds one end's authenticators to the connection (RFC 9261 section 5.1). */
export interface RoleSecrets {
  readonly handshakeContext: Buffer;
  readonly finishedKey: KeyObject;
}

/** The secrets of both ends of one TLS connection. */
export interface AuthenticatorSecrets {
  readonly role: TlsRole;
  readonly hash: AuthenticatorHash;
  readonly local: RoleSecrets;
  readonly remote: RoleSecrets;
  readonly exporter: Exporter;
}

const HASH_OF_SUITE: Readonly<Record<string, AuthenticatorHash>> = {
  TLS_AES_128_GCM_SHA256: 'sha256',
  TLS_CHACHA20_POLY1305_SHA256: 'sha256',
  TLS_AES_256_GCM_SHA384: 'sha384',
};
const HASH_BYTES: Readonly<Record<AuthenticatorHash, number>> = { sha256: 32, sha384: 48 };

/** Derives both ends' secrets by the labels of RFC 9261 section 5.1. */
function authenticatorSecrets(role: TlsRole, hash: AuthenticatorHash, exporter: Exporter): AuthenticatorSecrets {
  const of = (who: TlsRole): RoleSecrets => ({
    handshakeContext: exporter(`EXPORTER-${who} authenticator handshake context`, undefined, HASH_BYTES[hash]),
    finishedKey: createSecretKey(exporter(`EXPORTER-${who} authenticator finished key`, undefined, HASH_BYTES[hash])),
  });
  return { role, hash, local: of(role), remote: of(role === 'client' ? 'server' : 'client'), exporter };
}

/**
 * The secrets of a TLS 1.3 connection whose handshake is complete on this end (`secureConnect`, `secureConnection`): earlier the peer has
 * not proven itself (RFC 9261 section 9). Throws SESSION_REFUSED for another TLS version, a resumed session or an unknown cipher suite.
 */
export function secretsOfSocket(socket: TLSSocket, role: TlsRole): AuthenticatorSecrets {
  const protocol = socket.getProtocol();
  if (protocol !== 'TLSv1.3')
    throw new SymbolonError('SESSION_REFUSED', `the connection speaks ${protocol}; expected TLSv1.3`, { rule: 'protocol' });
  if (socket.isSessionReused())
    throw new SymbolonError('SESSION_REFUSED', 'the TLS session was resumed; a full handshake is required', { rule: 'resumed' });
  const suite = socket.getCipher().standardName;
  const hash = HASH_OF_SUITE[suite];
  if (!hash) throw new SymbolonError('SESSION_REFUSED', `cipher suite ${suite} is not of TLS 1.3`, { rule: 'cipher' });
  const exporter: Exporter = (label, context, length) => socket.exportKeyingMaterial(length, label, Buffer.from(context ?? []));
  return authenticatorSecrets(role, hash, exporter);
}
