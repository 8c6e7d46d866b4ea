import type { Flow } from '#core/network/flow';
import type { Grant } from '#core/policy/model';
import type { SpiffeId } from '#core/spiffe/id';
import type { X509Svid } from '#core/spiffe/svid';
import type { Instant } from '#core/time/instant';
import type { KeyObject } from 'node:crypto';

/** An X509-SVID of our own with its key: a workload's or this node's. */
export interface Credential {
  readonly svid: X509Svid;
  readonly privateKey: KeyObject;
}

/** Two workloads that have proven themselves to each other's node, as one end sees it. */
export interface ProvenPair {
  /** 16 bytes, lower-case hex; the same at both ends. */
  readonly pairId: string;
  readonly role: 'client' | 'server';
  readonly flow: Flow;
  readonly local: X509Svid;
  readonly peer: X509Svid;
  /** Server ports that this end may admit: at the client those that both sides allow, at the server its own side's. */
  readonly grants: readonly Grant[];
  /** What the server's side signed; at the server its own. */
  readonly serverGrants: readonly Grant[];
  /** The earliest end of: lifetime, both SVIDs, the peer node's SVID. */
  readonly expiresAt: Instant;
  /** The pair that this one takes the place of. */
  readonly replaces?: string;
}

export type PairRefusal =
  | 'no-credit'
  | 'bad-authenticator'
  | 'svid-refused'
  | 'not-placed'
  | 'no-such-workload'
  | 'not-ready'
  | 'denied-by-policy'
  | 'overloaded'
  | 'unsupported'
  | 'internal'
  | 'session-lost';

/** A pair that is not to be, and why; `detail` is for people. */
export interface Refusal {
  readonly verdict: 'refused';
  readonly reason: PairRefusal;
  readonly detail: string;
}

/** How a pair authentication ended. */
export type PairOutcome = ({ readonly verdict: 'accepted' } & ProvenPair) | Refusal;

/** A peer's workload, the local one, and the flow that one wants to send to the other. */
export interface JudgedPair {
  readonly peerNode: SpiffeId;
  readonly peer: X509Svid;
  readonly local: SpiffeId;
  readonly flow: Flow;
  /** Which end of the flow the peer's workload is. */
  readonly peerEnd: 'source' | 'destination';
}

export type Judgement = { readonly verdict: 'accepted'; readonly grants: readonly Grant[] } | Refusal;

/** What the responder needs from its node to answer a peer's request; also asked by the initiator about what the responder proved. */
export interface PairJudge {
  /** The local workload at an address: its credential; `pending` while its SVID is not at hand; undefined if no workload with an identity is there. */
  localWorkload(flow: Flow, end: 'source' | 'destination'): Credential | 'pending' | undefined;
  /** Chain against its own trust domain's bundle. Throws SymbolonError. */
  verifySvid(chain: readonly Uint8Array[]): X509Svid;
  /** Placement, then policy of this node's side. `peerEnd` says which end of the flow the peer's workload is. */
  judge(pair: JudgedPair): Judgement;
  /** Anything that would change a verdict changes this number: compared when the map is written. */
  generation(): bigint;
  /** Seconds that a new pair may live. */
  readonly lifetimeSeconds: number;
}
