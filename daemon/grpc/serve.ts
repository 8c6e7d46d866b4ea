import { createServer, type Server as NetServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { SymbolonError } from '#core/errors/error';
import type { X509Svid } from '#core/spiffe/svid';
import type { Clock } from '#daemon/clock';
import type { Logger } from '#daemon/log';
import { sparingLog } from '#daemon/sparing-log';
import { ANONYMOUS, type Caller } from './caller.ts';
import { Connections } from './connections.ts';
import { Places } from './places.ts';
import { TLS_LIMITS, type TlsLimits, UNIX_LIMITS, type UnixLimits } from './serve-limits.ts';
import { listenTls } from './tls-listener.ts';
import type { TlsCredential } from '../tls/credential.ts';
import { presentedChain } from '../tls/presented-chain.ts';
import { listenUnix } from '../unix/listen-unix.ts';
import { addService, type CallHooks, type Handlers, type Service } from './service.ts';

/** A gRPC server on one socket. Add all services before the first client comes. */
export interface GrpcServer {
  /** `192.0.2.7:7400` or the socket's path. */
  readonly address: string;
  /** Handlers get the caller of their connection; hooks surround every call of this service. */
  add<S extends Service>(service: S, handlers: Handlers<S>, hooks?: CallHooks): void;
  /** Takes no more connections, gives calls half a second to end, then ends them. A unix socket's file is removed. */
  close(): Promise<void>;
}

function grpcServer(address: string, all: readonly Connections[], listener: NetServer, closing?: () => void): GrpcServer {
  return {
    address,
    add: (service, handlers, hooks) => {
      for (const { grpc, callerOf } of all) addService(grpc, service, handlers, callerOf, hooks);
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        listener.close(() => resolve());
      });
      closing?.();
      await Promise.all([closed, ...all.map((connections) => connections.close())]);
    },
  };
}

/** Holds a place for as long as a connection lives; answers false, and closes it, if there is none. */
function placed(socket: Socket, places: Places, who: string): boolean {
  const leave = places.take(who, () => socket.destroy());
  if (leave) socket.once('close', leave);
  else socket.destroy();
  return leave !== undefined;
}

export interface UnixServe {
  /** Less than 108 bytes. A file left behind by a dead server is replaced; a living server's is not. */
  readonly path: string;
  /** The file's mode: 0o600 = only this user, 0o666 = every local process. Default 0o600. */
  readonly mode?: number;
  /** Whose a connection is, in any words: one owner gets a share only. Undefined: nobody's any more. Default: all are one owner's, who gets everything. */
  readonly ownerOf?: (socket: Socket) => string | undefined;
  readonly limits?: UnixLimits;
  readonly log: Logger;
}

/** Serves gRPC on a unix socket; every caller is `{kind: 'socket'}`. Throws CONFIG_INVALID if the path cannot be taken. */
export async function serveUnix(options: UnixServe): Promise<GrpcServer> {
  const { path, ownerOf, log, limits = UNIX_LIMITS } = options;
  const connections = new Connections(limits.connection);
  const places = new Places(ownerOf ? limits.connections : { ...limits.connections, ofOne: limits.connections.all });
  const listener = createServer((socket) => {
    socket.on('error', () => undefined);
    const owner = ownerOf ? ownerOf(socket) : '';
    if (owner === undefined) socket.destroy();
    else if (placed(socket, places, owner)) connections.admit(socket, { kind: 'socket', socket });
    else log.debug({ path, owner }, 'a local process found too many connections');
  });
  await listenUnix(listener, path, options.mode ?? 0o600);
  listener.on('error', (error) => log.error({ error, path }, 'the unix socket failed'));
  return grpcServer(path, [connections], listener);
}

export interface TlsServe {
  readonly host: string;
  /** 0 = any free one; `address` tells which. */
  readonly port: number;
  readonly credential: TlsCredential;
  /** Given a client's chain (DER, leaf first) after the handshake; throws if it proves nothing, and the connection is closed. */
  readonly verifyClient: (chain: readonly Uint8Array[]) => X509Svid;
  /** Is a verified client one that this server is for? Others are served like strangers. Default: all are. */
  readonly isKnown?: (svid: X509Svid) => boolean;
  readonly limits?: TlsLimits;
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
 * `verifyClient`, and its connection ends when its SVID does. No tickets, no resumption: a resumed session would skip verification. Strangers
 * share a few places, ask little and leave soon: there is room for those who are known, whoever else comes.
 */
export async function serveTls(options: TlsServe): Promise<TlsGrpcServer> {
  const { log, limits = TLS_LIMITS } = options;
  const warn = sparingLog(log.warn.bind(log), options.clock);
  const [known, strangers] = [new Connections(limits.connection), new Connections(limits.stranger)];
  const [knownPlaces, strangersPlaces] = [new Places(limits.known), new Places(limits.strangers)];
  const listener = await listenTls({ ...options, handshakes: limits.handshakes }, (socket, network) => {
    const from = `${socket.remoteAddress}:${socket.remotePort}`;
    socket.on('error', () => undefined);
    try {
      const caller = identify(socket, options);
      const isKnown = caller.kind === 'svid' && (options.isKnown?.(caller.svid) ?? true);
      const isPlaced = isKnown ? placed(socket, knownPlaces, caller.svid.id) : placed(socket, strangersPlaces, network);
      if (!isPlaced) return log.debug({ from }, 'a TLS client found too many connections');
      if (!isKnown) closeAfter(socket, limits.strangerLifetimeMs, options.clock);
      (isKnown ? known : strangers).admit(socket, caller);
    } catch (error) {
      warn({ error, from }, 'refused a TLS client');
      socket.destroy();
    }
  });
  const { bound } = listener;
  const address = bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`;
  return {
    ...grpcServer(address, [known, strangers], listener.server, () => listener.closeHandshakes()),
    port: bound.port,
    setCredential: (credential) => listener.setCredential(credential),
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

function closeAfter(socket: Socket, ms: number, clock: Clock): void {
  const timer = clock.after(ms, () => socket.destroy());
  socket.once('close', () => timer.cancel());
}

function closeAtExpiry(socket: TLSSocket, svid: X509Svid, clock: Clock): void {
  const timer = clock.after(Math.max(0, svid.notAfter - clock.now()), () => socket.destroy());
  socket.once('close', () => timer.cancel());
}
