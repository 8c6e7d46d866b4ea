import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type SecureContextOptions, type Server as TlsServer, type TLSSocket } from 'node:tls';
import { describeError, SymbolonError } from '#core/errors/error';
import { type IpAddress, parseIpAddress } from '#core/network/address';
import type { X509Svid } from '#core/spiffe/svid';
import { ACCEPT_LIMITS, type AcceptLimits, AcceptQueue } from './accept-queue.ts';
import type { Credential } from '../proof/contract.ts';
import { openNodeSession, type SessionParts } from './session.ts';
import { HANDSHAKE_TIMEOUT_MS, SESSION_ALPN, sessionTlsOptions } from './tls.ts';
import { verifyNodePeer } from './verify-peer.ts';

export interface ListenOptions extends SessionParts {
  /** Default: every address, both families. */
  readonly address?: IpAddress;
  readonly port: number;
  /** This node's SVID now; asked again for every connection. */
  readonly credential: () => Credential;
  /** Throws unless the node directory lists the peer. */
  readonly accept: (peer: X509Svid) => void;
  /** May an address connect at all? Asked before a byte is read. Default: any. */
  readonly mayConnect?: (address: IpAddress) => boolean;
  readonly limits?: AcceptLimits;
  /** Groups of the key exchange, as OpenSSL writes them. Default: KEY_EXCHANGE_GROUPS. */
  readonly groups?: string;
}

/** Where to listen, and how many may come. */
export type ListenWhere = Pick<ListenOptions, 'address' | 'port' | 'limits' | 'groups'>;

export interface SessionListener {
  readonly port: number;
  /** Connections that found no place in the queue. */
  readonly refusedConnections: number;
  close(): Promise<void>;
}

/** Accepts sessions from other nodes' agents. Rejects if the port cannot be had. */
export async function listenNodeSessions(options: ListenOptions): Promise<SessionListener> {
  let credential = options.credential();
  const raws = new Map<string, Socket>();
  const open = new Set<Socket>();
  const tls = createTls(sessionTlsOptions(credential, options.groups));
  const queue = new AcceptQueue((socket) => {
    const current = options.credential();
    if (current !== credential) {
      credential = current;
      tls.setSecureContext(sessionTlsOptions(current, options.groups));
    }
    raws.set(keyOf(socket), socket);
    tls.emit('connection', socket);
  }, options.limits ?? ACCEPT_LIMITS);

  tls.on('secureConnection', (socket: TLSSocket) => {
    const raw = raws.get(keyOf(socket));
    if (raw) queue.done(raw);
    socket.on('error', () => undefined);
    try {
      const peer = verifyNodePeer(socket, { verifySvid: (chain) => options.judge.verifySvid(chain), accept: options.accept });
      openNodeSession(socket, 'accepted', peer, options);
    } catch (error) {
      options.log.warn({ from: socket.remoteAddress, problem: describeError(error) }, 'node session refused');
      socket.destroy();
    }
  });
  tls.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    options.log.debug({ from: socket.remoteAddress, problem: describeError(error) }, 'TLS handshake failed');
    socket.destroy();
  });

  const tcp = createTcpServer({ noDelay: true }, (socket) => {
    if (!mayConnect(socket, options)) {
      socket.destroy();
      return;
    }
    open.add(socket);
    const key = keyOf(socket);
    socket.once('close', () => {
      open.delete(socket);
      if (raws.get(key) === socket) raws.delete(key);
    });
    queue.offer(socket);
  });
  const port = await listen(tcp, options);
  return {
    port,
    get refusedConnections() {
      return queue.refused;
    },
    close: () =>
      new Promise((resolve) => {
        tcp.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

const keyOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`;

function mayConnect(socket: Socket, options: ListenOptions): boolean {
  if (!options.mayConnect) return true;
  // A link-local peer carries a zone, which is no part of the address.
  const text = socket.remoteAddress?.split('%')[0];
  return text !== undefined && options.mayConnect(parseIpAddress(text));
}

function createTls(context: SecureContextOptions): TlsServer {
  return createTlsServer({
    ...context,
    requestCert: true,
    // Verified by verifyNodePeer before a byte is handled: OpenSSL would pool the authorities of all trust domains.
    rejectUnauthorized: false,
    ALPNProtocols: [SESSION_ALPN],
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  });
}

function listen(server: Server, options: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const where = `${options.address?.text ?? 'any address'} port ${options.port}`;
      reject(
        new SymbolonError('UNAVAILABLE', `cannot listen for node sessions on ${where}; choose another agent port`, { what: where }, cause),
      );
    });
    server.listen({ port: options.port, ...(options.address && { host: options.address.text }) }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : options.port);
    });
  });
}
