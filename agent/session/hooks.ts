import type { ProvenPair } from '../proof/contract.ts';
import type { CloseReason, NodeSession } from './contract.ts';

/** What a session tells its owner. Called from the session's own turn: they must not throw, but for `admit`. */
export interface SessionHooks {
  /** A pair that the peer started was proven: write its rows now. Throws PAIR_REFUSED to refuse it. */
  admit(pair: ProvenPair): void;
  /** The peer has closed a pair, or says that it knows none of that id. */
  pairClosed(pairId: string, reason: CloseReason): void;
  /** The pairs that the peer believes live between the two nodes. */
  inventory(pairIds: readonly string[]): void;
  keepalive(): void;
  keepaliveAck(sequence: bigint): void;
}

/** A node session with what its owner needs beyond authentication. */
export interface OwnedSession extends NodeSession {
  /** Which end opened the connection. */
  readonly side: 'dialled' | 'accepted';
  /** Exchanges under way, in both directions. */
  readonly busy: number;
  sendKeepalive(sequence: bigint, leaseMs: number): void;
  sendInventory(pairIds: readonly string[]): void;
}
