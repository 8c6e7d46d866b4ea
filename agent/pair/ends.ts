import type { IpAddress } from '#core/network/address';
import type { Flow } from '#core/network/flow';
import type { EndpointId, PairKey } from '../datapath/contract.ts';

/** What a pair is of: a local workload instance at an address, a remote address, and which of the two serves. */
export interface PairEnds {
  readonly endpoint: EndpointId;
  readonly local: IpAddress;
  readonly remote: IpAddress;
  readonly role: 'client' | 'server';
}

/** The ends of a flow as the node of one of them sees it. */
export function endsOf(flow: Flow, role: 'client' | 'server', endpoint: EndpointId): PairEnds {
  const [local, remote] = role === 'client' ? [flow.source, flow.destination] : [flow.destination, flow.source];
  return { endpoint, local, remote, role };
}

/** Equal exactly for equal ends. */
export function endsKey(ends: PairEnds): string {
  return `${ends.role} ${ends.endpoint} ${ends.local.text} ${ends.remote.text}`;
}

/** The gate's key of a client's flow. */
export function gateKeyOf(flow: Flow, endpoint: EndpointId): PairKey {
  const { source: local, destination: remote, protocol } = flow;
  return { realm: 0, endpoint, local, remote, protocol, role: 'client', servicePort: flow.servicePort ?? 0 };
}

/** The ends without the endpoint, which only this node knows: what another node may take a local address for, a claim on it. */
export function claimOf({ role, local, remote }: Pick<PairEnds, 'role' | 'local' | 'remote'>): string {
  return `${role} ${local.text} ${remote.text}`;
}

/** The local address of a claim. */
export function claimedAddress(claim: string): string {
  return claim.split(' ')[1] ?? '';
}
