import { constants } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { SymbolonError } from '#core/errors/error';
import type { Logger } from '#daemon/log';
import { type TlsCredential, tlsIdentity } from '../tls/credential.ts';
import { KEY_EXCHANGE_GROUPS } from '../tls/key-exchange.ts';
import { oneInEachTurn } from './one-in-each-turn.ts';
import { peerNetwork } from './peer-network.ts';
import { type PlaceLimits, Places } from './places.ts';

const HANDSHAKE_TIMEOUT_MS = 5000;

export interface TlsListen {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly credential: TlsCredential;
  /** Handshakes under way, by the clients' networks. */
  readonly handshakes: PlaceLimits;
  readonly log: Logger;
}

export interface TlsListener {
  readonly server: Server;
  readonly bound: AddressInfo;
  /** New connections see this credential; those that exist stay. */
  setCredential(credential: TlsCredential): void;
  /** Gives up the handshakes under way. */
  closeHandshakes(): void;
}

const contextOf = (credential: TlsCredential) => ({
  ...tlsIdentity(credential),
  ca: [],
  ecdhCurve: KEY_EXCHANGE_GROUPS,
  minVersion: 'TLSv1.3' as const,
  secureOptions: constants.SSL_OP_NO_TICKET,
});

const nameOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`;

/**
 * Listens for TLS 1.3 with HTTP/2, and hands over each connection whose handshake is complete with the network that it comes from; the client's
 * certificate is still to be verified. That may take milliseconds, of a certificate made for it: one is handed over in each turn of the event
 * loop. No tickets. Throws CONFIG_INVALID if the address cannot be had.
 */
export async function listenTls(options: TlsListen, onSecure: (socket: TLSSocket, network: string) => void): Promise<TlsListener> {
  const { log } = options;
  const handshakes = new Places(options.handshakes);
  const underWay = new Map<string, { readonly network: string; readonly leave: () => void }>();
  const tls = createTlsServer({
    ...contextOf(options.credential),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  });
  const inTurn = oneInEachTurn((socket: TLSSocket) => {
    const handshake = underWay.get(nameOf(socket));
    handshake?.leave();
    // Nothing is known of it any more: it has been closed meanwhile.
    if (!handshake) socket.destroy();
    else onSecure(socket, handshake.network);
  });
  tls.on('secureConnection', (socket) => {
    socket.on('error', () => undefined);
    inTurn(socket);
  });
  tls.on('tlsClientError', (error, socket) => {
    log.debug({ error: error.message, from: socket.remoteAddress }, 'a TLS handshake failed');
    socket.destroy();
  });
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const { remoteAddress } = socket;
    const network = remoteAddress === undefined ? undefined : peerNetwork(remoteAddress);
    const leave = network === undefined ? undefined : handshakes.take(network, () => socket.destroy());
    if (network === undefined || !leave) {
      log.debug({ from: remoteAddress }, 'a TLS client found too many handshakes under way');
      socket.destroy();
      return;
    }
    const name = nameOf(socket);
    const handshake = { network, leave };
    underWay.set(name, handshake);
    socket.once('close', () => {
      leave();
      if (underWay.get(name) === handshake) underWay.delete(name);
    });
    tls.emit('connection', socket);
  });
  await listen(server, options);
  server.on('error', (error) => log.error({ error }, 'the TLS listener failed'));
  return {
    server,
    bound: server.address() as AddressInfo,
    setCredential: (credential) => tls.setSecureContext(contextOf(credential)),
    closeHandshakes: () => handshakes.closeAll(),
  };
}

function listen(server: Server, { host, port }: TlsListen): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      const value = `${host}:${port}`;
      reject(new SymbolonError('CONFIG_INVALID', `cannot listen on ${value}: ${error.message}`, { path: 'listen', value }, error));
    };
    server.once('error', fail);
    server.listen(port, host, () => {
      server.removeListener('error', fail);
      resolve();
    });
  });
}
