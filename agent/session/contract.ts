import type { Flow } from '#core/network/flow';
import type { SpiffeId } from '#core/spiffe/id';
import type { X509Svid } from '#core/spiffe/svid';
import type { SessionIndex } from '../datapath/contract.ts';
import type { PairOutcome } from '../proof/contract.ts';

export type CloseReason =
  | 'endpoint-gone'
  | 'policy-changed'
  | 'placement-changed'
  | 'bundle-changed'
  | 'replaced'
  | 'shutdown'
  | 'unknown-pair';

/** One TLS 1.3 connection between two node agents, both proven. */
export interface NodeSession {
  readonly peer: X509Svid;
  readonly closed: Promise<void>;
  /** Proves the local workload at `flow.source` to the peer, and has the peer prove the one at `flow.destination`. One round trip. */
  authenticate(flow: Flow, replaces?: string): Promise<PairOutcome>;
  /** Tells the peer; true when it has acknowledged, false if it has not in time or the session is gone. */
  closePair(pairId: string, reason: CloseReason): Promise<boolean>;
  close(): void;
}

/** A session as `status` shows it. */
export interface SessionStatus {
  readonly peer: SpiffeId;
  readonly side: 'dialled' | 'accepted';
  readonly open: boolean;
  readonly index: SessionIndex;
}
