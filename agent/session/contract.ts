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

/** How a pair authentication ended. */
export type PairOutcome =
  | ({ readonly verdict: 'accepted' } & ProvenPair)
  | { readonly verdict: 'refused'; readonly reason: PairRefusal; readonly detail: string };

export type PairRefusal =
  | 'no-credit'
  | 'bad-authenticator'
  | 'svid-refused'
  | 'not-placed'
  | 'no-such-workload'
  | 'denied-by-policy'
  | 'overloaded'
  | 'unsupported'
  | 'internal'
  | 'session-lost';

export type CloseReason =
  | 'endpoint-gone'
  | 'policy-changed'
  | 'placement-changed'
  | 'bundle-changed'
  | 'replaced'
  | 'shutdown'
  | 'unknown-pair';

/** What the responder needs from its node to answer a peer's request; also asked by the initiator about what the responder proved. */
export interface PairAuthority {
  /** The local workload at an address with its credential, or undefined. */
  localWorkload(flow: Flow, end: 'source' | 'destination'): Credential | undefined;
  /** Chain against its own trust domain's bundle. Throws SymbolonError. */
  verifySvid(chain: readonly Uint8Array[]): X509Svid;
  /** Placement, then policy of this node's side. `peerEnd` says which end of the flow the peer's workload is. */
  judge(request: {
    readonly peerNode: SpiffeId;
    readonly peer: X509Svid;
    readonly local: SpiffeId;
    readonly flow: Flow;
    readonly peerEnd: 'source' | 'destination';
  }):
    | { readonly verdict: 'accepted'; readonly grants: readonly Grant[] }
    | { readonly verdict: 'refused'; readonly reason: PairRefusal; readonly detail: string };
  /** Anything that would change a verdict changes this number: compared when the map is written. */
  generation(): bigint;
  /** Seconds that a new pair may live. */
  readonly lifetimeSeconds: number;
}

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
