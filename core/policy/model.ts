import type { IpAddress } from '#core/network/address';
import type { IpPrefix } from '#core/network/prefix';
import type { SpiffeId, TrustDomain } from '#core/spiffe/id';

/** A set of parties. A workload is in it if any of its members names it. Prefixes match whole path segments. */
export interface PartySet {
  readonly spiffeIds: readonly SpiffeId[];
  /** IDs whose path begins with all the segments of this ID's path, in the same trust domain. */
  readonly pathPrefixes: readonly SpiffeId[];
  readonly trustDomains: readonly TrustDomain[];
  /** Peers without identity. In the model; refused as not yet supported. */
  readonly addressPrefixes: readonly IpPrefix[];
}

/** A class of traffic: `protocol` undefined = every IP protocol; ports are those of the server, both ends included. */
export interface Traffic {
  readonly protocol?: number;
  readonly lowPort?: number;
  readonly highPort?: number;
  /** The text it was written as: `tcp/8443`, `udp/5000-5100`, `icmp`, `any`, `protocol/132`. */
  readonly text: string;
}

export type PolicyAction = 'allow' | 'deny';
/** `egress` is enforced at the source's node, `ingress` at the destination's. */
export type PolicySide = 'both' | 'egress' | 'ingress';
export type Side = 'egress' | 'ingress';
export type PolicyMode = 'enforce' | 'audit';
export type Protection = 'authenticated' | 'integrity' | 'encrypted';

/** An auth policy: one row of one trust domain. `name` is unique in it. */
export interface AuthPolicy {
  readonly id: string;
  readonly trustDomain: TrustDomain;
  readonly name: string;
  readonly sources: PartySet;
  readonly destinations: PartySet;
  readonly traffic: readonly Traffic[];
  readonly side: PolicySide;
  readonly action: PolicyAction;
  readonly mode: PolicyMode;
  readonly protection: Protection;
  /** Process conditions at the source. In the model; refused as not yet supported. */
  readonly execution?: ExecutionConstraints;
  /** Address plan that the policy speaks of; 0 is the only one so far. */
  readonly realm: number;
  /** The gateway that traffic must pass. In the model; refused as not yet supported. */
  readonly via?: SpiffeId;
}

export interface ExecutionConstraints {
  readonly binarySha256: readonly string[];
}

/** One end of a flow: a workload that can be named, or an address without identity. */
export type Party = { readonly kind: 'workload'; readonly id: SpiffeId } | { readonly kind: 'address'; readonly address: IpAddress };

/** What a pair may carry: server ports of one protocol, both ends included; a protocol without ports has 0-65535. */
export interface Grant {
  readonly protocol: number;
  readonly lowPort: number;
  readonly highPort: number;
}

/** The verdict about a flow on one side. A deny without `rule` is the default. */
export type Decision =
  | { readonly verdict: 'allow'; readonly rule: string; readonly protection: Protection; readonly grants: readonly Grant[] }
  | { readonly verdict: 'deny'; readonly rule?: string };
