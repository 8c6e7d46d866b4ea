import type { IpAddress } from '#core/network/address';
import { type IpPrefix, parseIpPrefix, prefixContains } from '#core/network/prefix';
import type { InterfaceAddress } from '../../kernel/netlink/address-message.ts';
import type { Link } from '../../kernel/netlink/link-message.ts';
import type { Route } from '../../kernel/netlink/route-message.ts';

/** What the kernel says about this network namespace. */
export interface NetworkState {
  readonly links: readonly Link[];
  readonly addresses: readonly InterfaceAddress[];
  readonly routes: readonly Route[];
}

/** What tells uplinks from workloads. */
export interface UplinkRule {
  /** Names of the uplinks; undefined: the interfaces of the default routes and of routes to other nodes' prefixes. */
  readonly uplinks: readonly string[] | undefined;
  /** Prefixes that other nodes serve. */
  readonly remotePrefixes: readonly IpPrefix[];
}

/** The host-side interface of a workload, seen from the node alone: nothing here is the workload's to say. */
export interface WorkloadLink {
  readonly link: Link;
  readonly addresses: readonly IpAddress[];
}

/** The interfaces that matter to the gate. */
export interface ClassifiedInterfaces {
  readonly uplinks: readonly number[];
  readonly workloads: readonly WorkloadLink[];
  /** The node's own addresses. */
  readonly nodeAddresses: readonly IpAddress[];
}

function fullLength(address: IpAddress): number {
  return address.family === 4 ? 32 : 128;
}

function isLinkLocal(address: IpAddress): boolean {
  return address.family === 4 ? address.text.startsWith('169.254.') : /^fe[89ab]/.test(address.text);
}

function findUplinks({ links, routes }: NetworkState, rule: UplinkRule): ReadonlySet<number> {
  if (rule.uplinks) return new Set(links.filter(({ name }) => rule.uplinks?.includes(name)).map(({ index }) => index));
  const leadsOut = (route: Route): boolean => {
    if (route.prefixLength === 0) return true;
    const prefix = parseIpPrefix(`${route.destination.text}/${route.prefixLength}`);
    return rule.remotePrefixes.some((remote) => prefixContains(prefix, remote.address) || prefixContains(remote, prefix.address));
  };
  return new Set(routes.filter(leadsOut).flatMap(({ interfaceIndexes }) => interfaceIndexes));
}

/**
 * Tells uplinks from workloads. A workload is behind a veth whose other end lies in another network namespace and which is no uplink and no part
 * of a subnet. Its addresses are those that the node's host routes send there; one that is sent to two interfaces belongs to neither.
 */
export function classifyInterfaces(state: NetworkState, rule: UplinkRule): ClassifiedInterfaces {
  const uplinks = findUplinks(state, rule);
  const inSubnet = new Set(
    state.addresses
      .filter(({ address, prefixLength }) => prefixLength !== fullLength(address) && !isLinkLocal(address))
      .map(({ interfaceIndex }) => interfaceIndex),
  );
  const routed = new Map<string, { readonly address: IpAddress; readonly indexes: Set<number> }>();
  for (const { destination, prefixLength, gateway, interfaceIndexes } of state.routes) {
    if (gateway || prefixLength !== fullLength(destination) || isLinkLocal(destination)) continue;
    const known = routed.get(destination.text) ?? { address: destination, indexes: new Set<number>() };
    for (const index of interfaceIndexes) known.indexes.add(index);
    routed.set(destination.text, known);
  }
  const addressesOf = (index: number): readonly IpAddress[] =>
    [...routed.values()].filter(({ indexes }) => indexes.size === 1 && indexes.has(index)).map(({ address }) => address);
  const isWorkload = (link: Link): boolean =>
    link.kind === 'veth' &&
    link.peerNamespaceId !== undefined &&
    !uplinks.has(link.index) &&
    // Where uplinks are named, everything else of this kind is a workload's.
    (rule.uplinks !== undefined || !inSubnet.has(link.index));
  const own = new Map(state.addresses.map(({ address }) => [address.text, address]));
  return {
    uplinks: [...uplinks].sort((a, b) => a - b),
    workloads: state.links.filter(isWorkload).map((link) => ({ link, addresses: addressesOf(link.index) })),
    nodeAddresses: [...own.values()],
  };
}
