import type { IpAddress } from '#core/network/address';
import type { Flow, Protocol } from '#core/network/flow';
import type { IpPrefix } from '#core/network/prefix';
import type { Grant } from '#core/policy/model';

/**
 * One attested workload instance on this node: an agent-allocated u32, never given twice while the pinned maps live. Taking a new one for
 * every new instance is what keeps a re-used address from inheriting anything.
 */
export type EndpointId = number & { readonly __brand: 'EndpointId' };
/** A row of the session map: the lease of every pair that is bound to one node session. */
export type SessionIndex = number & { readonly __brand: 'SessionIndex' };

/**
 * What the gate does with a workload's traffic: `unmanaged` = nothing but source checks; `unattested` = hold what it sends, refuse what it is
 * sent; `inbound`, `all` = see core/registration Enforcement.
 */
export type GateMode = 'unmanaged' | 'unattested' | 'inbound' | 'all';

/** A workload with an address of its own: the host-side interface it sits behind, and the addresses it may send from. */
export interface EndpointSpec {
  readonly endpoint: EndpointId;
  readonly interfaceIndex: number;
  readonly addresses: readonly IpAddress[];
  readonly gate: GateMode;
}

/** A prefix of the node directory. `local` = this node serves it. */
export interface DirectoryPrefix {
  readonly prefix: IpPrefix;
  readonly local: boolean;
}

/** Everything about the node but its pairs: what `configure` makes true, whole. */
export interface DatapathConfig {
  readonly uplinks: readonly number[];
  readonly endpoints: readonly EndpointSpec[];
  readonly directory: readonly DirectoryPrefix[];
  /** The node's own addresses, on any interface. */
  readonly nodeAddresses: readonly IpAddress[];
  /** Addresses of agents that may open node sessions, and the TCP port of this agent. */
  readonly peerAgents: readonly IpAddress[];
  readonly agentPort: number;
  /** The newest revision of the authority that this configuration carries out. */
  readonly revision: bigint;
}

/** The local end of a pair as the gate sees it. `servicePort` 0 = the protocol has no ports. */
export interface PairKey {
  readonly realm: number;
  readonly endpoint: EndpointId;
  readonly local: IpAddress;
  readonly remote: IpAddress;
  readonly protocol: Protocol;
  readonly role: 'client' | 'server';
  readonly servicePort: number;
}

/**
 * An authenticated pair of workloads, as one local endpoint sees it. Its rows: one for each granted protocol, with up to 8 port ranges each.
 * For two workloads on one node the agent installs it twice, once for each end.
 */
export interface PairSpec {
  /** Local number of the pair, u32. */
  readonly pair: number;
  readonly realm: number;
  readonly endpoint: EndpointId;
  readonly local: IpAddress;
  readonly remote: IpAddress;
  readonly role: 'client' | 'server';
  readonly grants: readonly Grant[];
  readonly session: SessionIndex;
  /** CLOCK_BOOTTIME: the pair ends then, whatever its session's lease says (the SVIDs' expiry). */
  readonly notAfterBootNs: bigint;
}

/** A pair that the pinned maps still hold after a restart of the agent. */
export interface FoundPair {
  readonly spec: PairSpec;
  readonly epoch: number;
}

/** First contact: a flow of a local workload that has no pair. Its packets wait until `installPair` covers it, `refuse` or `forget`. */
export interface HeldFlow {
  readonly key: PairKey;
  readonly flow: Flow;
  readonly sinceBootNs: bigint;
}

/**
 * Packets since the maps were made, by reason (enum sym_reason of bpf/maps.h in lower case), or flows that this agent has decided to refuse.
 * `passed` are also those that were held, and answers.
 */
export interface Counter {
  readonly kind: 'packets refused' | 'packets passed' | 'flows refused';
  readonly reason: string;
  readonly count: bigint;
}

/** A lease, CLOCK_BOOTTIME. Sending stops first. */
export interface Lease {
  readonly txUntilBootNs: bigint;
  readonly rxUntilBootNs: bigint;
}

/**
 * The gate of this node. All calls but `close` are synchronous: when one returns, the kernel does as told. Everything but held packets survives
 * the agent; `close` detaches nothing.
 */
export interface Datapath {
  /** What was live in the pinned maps when this agent opened them. */
  readonly found: { readonly pairs: readonly FoundPair[]; readonly endpoints: readonly EndpointSpec[] };

  /** Makes the node's configuration so. Pairs of endpoints that it no longer names are removed. */
  configure(wanted: DatapathConfig): void;
  /** A number for a new workload instance. */
  newEndpoint(): EndpointId;

  /** Called once for each flow that starts to wait, never twice for a flow that still does. */
  onHeld(listener: (held: HeldFlow) => void): void;
  /**
   * Writes the pair's rows; replaces those of an older pair with the same ends and role under the same epoch, so that flows go on; else under a new
   * epoch. Held packets that it covers are sent in their order before newer ones.
   */
  installPair(pair: PairSpec): void;
  /** Removes the pair's rows if they still belong to it. Its flows are dead for good. Returns whether anything was removed. */
  removePair(pair: number): boolean;
  /** Answers the flow's held and later packets with a refusal until then; `reason` names it in status. Removed by `configure` and `installPair`. */
  refuse(key: PairKey, reason: string, untilBootNs: bigint): void;
  /** Sends the flow's held packets through the gate again: for an endpoint whose gate mode has changed (attested, or found to be unmanaged). */
  retry(key: PairKey): void;
  /** Drops the flow's held packets without an answer; the next one is held anew. */
  forget(key: PairKey): void;

  /** A new session row, without lease. Never an index that a live row uses. */
  openSession(): SessionIndex;
  /** One write renews every pair of the session. */
  renewSession(session: SessionIndex, lease: Lease): void;
  /** Ends the lease of every pair of the session now. */
  closeSession(session: SessionIndex): void;

  counters(): readonly Counter[];
  /** What keeps the gate from doing its work, for people; empty when all is well. */
  problems(): readonly string[];
  /** CLOCK_BOOTTIME, nanoseconds. */
  bootNs(): bigint;
  close(): Promise<void>;
}
