import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { SymbolonError } from '#core/errors/error';
import type { AgentEndpoint } from '#core/registration/directory';
import type { SpiffeId } from '#core/spiffe/id';
import type { X509Svid } from '#core/spiffe/svid';
import type { Credential } from '../proof/contract.ts';
import type { OwnedSession } from './hooks.ts';
import { openNodeSession, type SessionParts } from './session.ts';
import { HANDSHAKE_TIMEOUT_MS, SESSION_ALPN, sessionTlsOptions } from './tls.ts';
import { verifyNodePeer } from './verify-peer.ts';

export interface DialOptions extends SessionParts {
  readonly endpoint: AgentEndpoint;
  /** The node that the directory names there. Any other is refused. */
  readonly expect: SpiffeId;
  readonly credential: Credential;
  /** Throws unless the node directory lists the peer. */
  readonly accept: (peer: X509Svid) => void;
  /** An address of this node to dial from. Default: the kernel's choice. */
  readonly localAddress?: string;
}

/**
 * Opens a session to the agent of another node. Rejects with SESSION_REFUSED (or an SVID error) if it is not that node, UNAVAILABLE if it
 * cannot be reached, TIMEOUT after 5 s.
 */
export async function dialNodeSession(options: DialOptions): Promise<OwnedSession> {
  const socket = await connectTls(options);
  try {
    const peer = verifyNodePeer(socket, {
      verifySvid: (chain) => options.judge.verifySvid(chain),
      accept: options.accept,
      expect: options.expect,
    });
    return openNodeSession(socket, 'dialled', peer, options);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function connectTls(options: DialOptions): Promise<TLSSocket> {
  const { endpoint, expect, localAddress } = options;
  const where = `${expect} at ${endpoint.address.text} port ${endpoint.port}`;
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...sessionTlsOptions(options.credential),
      host: endpoint.address.text,
      port: endpoint.port,
      ...(localAddress !== undefined && isIP(localAddress) !== 0 && { localAddress }),
      ALPNProtocols: [SESSION_ALPN],
      // Verified by verifyNodePeer as soon as the handshake is complete: the name is a SPIFFE ID, and OpenSSL would pool trust domains.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    const timer = setTimeout(() => {
      socket.destroy(
        new SymbolonError('TIMEOUT', `${where} has not completed a handshake within ${HANDSHAKE_TIMEOUT_MS} ms`, {
          what: 'node session',
          ms: HANDSHAKE_TIMEOUT_MS,
        }),
      );
    }, HANDSHAKE_TIMEOUT_MS);
    const failed = (cause: Error): void => {
      clearTimeout(timer);
      if (cause instanceof SymbolonError) return reject(cause);
      reject(new SymbolonError('UNAVAILABLE', `${where} cannot be reached`, { what: 'node session' }, cause));
    };
    socket.once('error', failed);
    socket.once('close', () => failed(new Error('the connection was closed during the handshake')));
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('close');
      socket.removeListener('error', failed);
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}
