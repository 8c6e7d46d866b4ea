import type { IpAddress } from '#core/network/address';
import type { IpPrefix } from '#core/network/prefix';
import type { TrustDomain } from '#core/spiffe/id';

/** One workload: a network namespace behind a veth on its node, with processes of one user. */
export interface WorkloadSpec {
  readonly name: string;
  readonly uid: number;
  /** At most one of each family, inside its node's prefixes. */
  readonly addresses: readonly IpAddress[];
}

/** One node: a machine of its own, as far as namespaces go. */
export interface NodeSpec {
  readonly name: string;
  /** The addresses of its uplink, at most one of each family. */
  readonly addresses: readonly IpAddress[];
  /** What the router sends to the node: its workloads' addresses. */
  readonly prefixes: readonly IpPrefix[];
  readonly workloads: readonly WorkloadSpec[];
}

/** The place where the authority runs. */
export interface AuthoritySpec {
  readonly addresses: readonly IpAddress[];
  readonly port: number;
}

/** A whole lab, checked: names are unique, addresses are unique, and every workload lies inside its node's prefixes. */
export interface LabSpec {
  readonly trustDomain: TrustDomain;
  readonly authority: AuthoritySpec;
  readonly operator: { readonly addresses: readonly IpAddress[] };
  readonly router: { readonly addresses: readonly IpAddress[] };
  readonly nodes: readonly NodeSpec[];
}

/** The address of a family, or undefined. */
export function addressOf(addresses: readonly IpAddress[], family: 4 | 6): IpAddress | undefined {
  return addresses.find((a) => a.family === family);
}
