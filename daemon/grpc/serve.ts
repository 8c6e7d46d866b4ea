import { constants } from 'node:crypto';
import { type AddressInfo, createServer, type Server as NetServer } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { SymbolonError } from '#core/errors/error';
import type { X509Svid } from '#core/spiffe/svid';
import type { Clock } from '#daemon/clock';
import type { Logger } from '#daemon/log';
import { ANONYMOUS, type Caller } from './caller.ts';
import { Connections } from './connections.ts';
import { type TlsCredential, tlsIdentity } from '../tls/credential.ts';
import { presentedChain } from '../tls/presented-chain.ts';
import { listenUnix } from '../unix/listen-unix.ts';
import { addService, type CallHooks, type Handlers, type Service } from './service.ts';

/** Connections beyond this are closed at once. */
const MAX_CONNECTIONS = 4096;
const HANDSHAKE_TIMEOUT_MS = 5000;

/** A gRPC server on one socket. Add all services before the first client comes. */
export interface GrpcServer {
  /** `192.0.2.7:7400` or the socket's path. */
  readonly address: string;
  /** Handlers get the caller of their connection; hooks surround every call of this service. */
  add<S extends Service>(service: S, handlers: Handlers<S>, hooks?: CallHooks): void;
  /** Takes no more connections, gives calls half a second to end, then ends them. A unix socket's file is removed. */
  close(): Promise<void>;
}

function grpcServer(address: string, connections: Connections, listener: NetServer): GrpcServer {
  return {
    address,
    add: (service, handlers, hooks) => addService(connections.grpc, service, handlers, connections.callerOf, hooks),
    close: () => connections.close(listener),
  };
}

export interface UnixServe {
  /** Less than 108 bytes. A file left behind by a dead server is replaced; a living server's is not. */
  readonly path: string;
  /** The file's mode: 0o600 = only this user, 0o666 = every local process. Default 0o600. */
  readonly mode?: number;
  readonly log: Logger;
}

/** Serves gRPC on a unix socket; every caller is `{kind: 'socket'}`. Throws CONFIG_INVALID if the path cannot be taken. */
export async function serveUnix(options: UnixServe): Promise<GrpcServer> {
  const connections = new Connections();
  const listener = createServer((socket) => connections.admit(socket, { kind: 'socket', socket }));
  await listenUnix(listener, options.path, options.mode ?? 0o600);
  listener.maxConnections = MAX_CONNECTIONS;
  listener.on('error', (error) => options.log.error({ error, path: options.path }, 'the unix socket failed'));
  return grpcServer(options.path, connections, listener);
}

export interface TlsServe {
  readonly host: string;
  /** 0 = any free one; `address` tells which. */
  readonly port: number;
  readonly credential: TlsCredential;
  /** Given a client's chain (DER, leaf first) after the handshake; throws if it proves nothing, and the connection is closed. */
  readonly verifyClient: (chain: readonly Uint8Array[]) => X509Svid;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface TlsGrpcServer extends GrpcServer {
  readonly port: number;
  /** New connections see this credential; those that exist stay. */
  setCredential(credential: TlsCredential): void;
}

/**
 * Serves gRPC over TLS 1.3. A client without certificate is `anonymous`; one with a certificate is verified after the handshake by
 * `verifyClient`, and its connection ends when its SVID does. No tickets, no resumption: a resumed session would skip verification.
 */
export async function serveTls(options: TlsServe): Promise<TlsGrpcServer> {
  const { log } = options;
  const connections = new Connections();
  const context = (credential: TlsCredential) => ({
    ...tlsIdentity(credential),
    ca: [],
    minVersion: 'TLSv1.3' as const,
    secureOptions: constants.SSL_OP_NO_TICKET,
  });
  const listener = createTlsServer(
    {
      ...context(options.credential),
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    },
    (socket) => {
      const from = `${socket.remoteAddress}:${socket.remotePort}`;
      try {
        connections.admit(socket, identify(socket, options));
      } catch (error) {
        log.warn({ error, from }, 'refused a TLS client');
        socket.on('error', () => undefined);
        socket.destroy();
      }
    },
  );
  listener.maxConnections = MAX_CONNECTIONS;
  listener.on('tlsClientError', (error, socket) => {
    log.debug({ error: error.message, from: socket.remoteAddress }, 'a TLS handshake failed');
    socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => {
      const value = `${options.host}:${options.port}`;
      reject(new SymbolonError('CONFIG_INVALID', `cannot listen on ${value}: ${error.message}`, { path: 'listen', value }, error));
    };
    listener.once('error', fail);
    listener.listen(options.port, options.host, () => {
      listener.removeListener('error', fail);
      resolve();
    });
  });
  listener.on('error', (error) => log.error({ error }, 'the TLS listener failed'));
  const bound = listener.address() as AddressInfo;
  const address = bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`;
  return {
    ...grpcServer(address, connections, listener),
    port: bound.port,
    setCredential: (credential) => listener.setSecureContext(context(credential)),
  };
}

function identify(socket: TLSSocket, options: TlsServe): Caller {
  if (socket.isSessionReused()) throw new SymbolonError('SVID_UNTRUSTED', 'the client resumed a TLS session', { rule: 'resumed' });
  if (socket.alpnProtocol !== 'h2')
    throw new SymbolonError('SVID_UNTRUSTED', 'the client does not speak HTTP/2 (ALPN h2)', { rule: 'alpn' });
  const chain = presentedChain(socket);
  if (chain.length === 0) return ANONYMOUS;
  const svid = options.verifyClient(chain);
  closeAtExpiry(socket, svid, options.clock);
  return { kind: 'svid', svid };
}

function closeAtExpiry(socket: TLSSocket, svid: X509Svid, clock: Clock): void {
  const timer = clock.after(Math.max(0, svid.notAfter - clock.now()), () => socket.destroy());
  socket.once('close', () => timer.cancel());
}
