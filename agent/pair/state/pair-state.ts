import type { Flow } from '#core/network/flow';
import type { Grant } from '#core/policy/model';
import type { SpiffeId } from '#core/spiffe/id';
import type { Instant } from '#core/time/instant';
import type { EndpointId, SessionIndex } from '../../datapath/contract.ts';
import type { PairRefusal, ProvenPair } from '../../proof/contract.ts';
import type { CloseReason } from '../../session/contract.ts';

/** A proven pair with its place in the gate. */
export interface LivePair {
  readonly proven: ProvenPair;
  /** Local number of the pair in the gate. */
  readonly number: number;
  /** The local workload instance. */
  readonly endpoint: EndpointId;
  readonly session: SessionIndex;
  readonly peerNode: SpiffeId;
  /** What is installed: `proven.grants`, or what a later view left of them. */
  readonly grants: readonly Grant[];
}

/** An exchange under way. `renewal`: for the pair itself; `flow`: for a flow that waits. */
export interface Attempt {
  readonly id: number;
  readonly flow: Flow;
  readonly purpose: 'flow' | 'renewal';
}

/** A pair of ends in one role, as this node sees it. Server ends are only `idle`, `live` or `closed`: the client's side starts. */
export type PairState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'authenticating'; readonly attempt: Attempt; readonly waiting: readonly Flow[] }
  | { readonly kind: 'live'; readonly pair: LivePair }
  | { readonly kind: 'renewing'; readonly pair: LivePair; readonly attempt: Attempt; readonly waiting: readonly Flow[] }
  /** The workload instance is gone: nothing begins here any more. */
  | { readonly kind: 'closed' };

export const IDLE: PairState = { kind: 'idle' };

export type PairEvent =
  /** A flow of the local workload waits. `attempt` is the number of an exchange if one is started. */
  | { readonly kind: 'wanted'; readonly flow: Flow; readonly attempt: number }
  | { readonly kind: 'renew'; readonly attempt: number }
  /** An exchange succeeded; without `attempt` it was the peer's, and this end answers it. `next` numbers an exchange for a flow that waits. */
  | { readonly kind: 'proven'; readonly attempt?: number; readonly pair: LivePair; readonly next: number }
  | { readonly kind: 'refused'; readonly attempt: number; readonly reason: PairRefusal | 'peer-unreachable'; readonly next: number }
  | { readonly kind: 'peer-closed'; readonly pairId: string; readonly reason: CloseReason; readonly attempt: number }
  | { readonly kind: 'view-changed' }
  /** The lease of a session has run out. */
  | { readonly kind: 'lapsed'; readonly session: SessionIndex }
  | { readonly kind: 'expired' }
  | { readonly kind: 'endpoint-gone' };

export type PairEffect =
  | { readonly kind: 'authenticate'; readonly attempt: Attempt; readonly replaces?: string }
  | { readonly kind: 'install'; readonly pair: LivePair }
  | { readonly kind: 'remove'; readonly pair: LivePair; readonly reason: CloseReason | 'lapsed' | 'expired' }
  /** Tell the peer that this end does not have the pair. */
  | { readonly kind: 'tell-closed'; readonly pair: LivePair; readonly reason: CloseReason }
  /** Answer the flow with a refusal for a while. */
  | { readonly kind: 'refuse'; readonly flow: Flow; readonly reason: PairRefusal | 'peer-unreachable' }
  /** Drop what is held of the flow; the next packet is held anew. */
  | { readonly kind: 'forget'; readonly flow: Flow }
  /** Refuse what the peer proposes. */
  | { readonly kind: 'deny'; readonly reason: PairRefusal; readonly detail: string };

/** What a step looks at: this very moment's, never a copy from before. */
export interface PairView {
  judge(pair: LivePair): PairVerdict;
  /** Does this side allow another flow between the two workloads of a live pair? */
  allows(pair: LivePair, flow: Flow): boolean;
  /** The peer has closed this pair before it could be installed. */
  tombstoned(pairId: string): boolean;
  /** Does the session's lease still allow to send? */
  leaseLives(session: SessionIndex): boolean;
}

export type PairVerdict =
  | { readonly verdict: 'accepted'; readonly grants: readonly Grant[] }
  | { readonly verdict: 'refused'; readonly reason: CloseReason; readonly refusal: PairRefusal; readonly detail: string };

export interface PairStep {
  readonly state: PairState;
  readonly effects: readonly PairEffect[];
}

/** When the pair must be gone unless it was proven anew. */
export function expiryOf(pair: LivePair): Instant {
  return pair.proven.expiresAt;
}
