import type { TLSSocket } from 'node:tls';
import { SymbolonError } from '#core/errors/error';
import { nodeNameOf } from '#core/registration/node-id';
import type { SpiffeId } from '#core/spiffe/id';
import type { X509Svid } from '#core/spiffe/svid';
import { presentedChain } from '#daemon/tls/presented-chain';
import { SESSION_ALPN } from './tls.ts';

/** What a connection must be before anything that it carries is believed. */
export interface PeerRules {
  /** Chain against its own trust domain's bundle. Throws. */
  readonly verifySvid: (chain: readonly Uint8Array[]) => X509Svid;
  /** Throws unless the node directory lists the peer. */
  readonly accept: (peer: X509Svid) => void;
  /** The dialler's: exactly this node. */
  readonly expect?: SpiffeId;
}

function refuse(rule: string, message: string): never {
  throw new SymbolonError('SESSION_REFUSED', message, { rule });
}

/**
 * The node at the other end of a connection whose handshake has just completed. Throws SESSION_REFUSED, or what `rules` throw. A resumed
 * session is refused because the peer has proven nothing in it; a workload's SVID never opens a session.
 */
export function verifyNodePeer(socket: TLSSocket, rules: PeerRules): X509Svid {
  if (socket.getProtocol() !== 'TLSv1.3') return refuse('protocol', `the peer speaks ${socket.getProtocol()}; expected TLSv1.3`);
  if (socket.isSessionReused()) return refuse('resumed', 'the TLS session was resumed; a full handshake is required');
  if (socket.alpnProtocol !== SESSION_ALPN) return refuse('alpn', `the peer did not agree to ${SESSION_ALPN}`);
  const chain = presentedChain(socket);
  if (chain.length === 0) return refuse('no-certificate', 'the peer presented no certificate');
  const peer = rules.verifySvid(chain);
  if (nodeNameOf(peer.id) === undefined) return refuse('not-a-node', `${peer.id} is no node's SVID; only nodes open sessions`);
  if (rules.expect !== undefined && peer.id !== rules.expect) {
    return refuse('other-node', `${peer.id} answered where the node directory says ${rules.expect}`);
  }
  rules.accept(peer);
  return peer;
}
