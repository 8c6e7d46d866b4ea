import type { IpAddress } from '#core/network/address';
import { type IpPrefix, parseIpPrefix, prefixContains } from '#core/network/prefix';
import type { InterfaceAddress } from '../../kernel/netlink/address-message.ts';
import type { Link } from '../../kernel/netlink/link-message.ts';
import { type Route, ROUTE_PROTOCOL } from '../../kernel/netlink/route-message.ts';

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
  /** Prefixes that other nodes serve; undefined: not known yet. */
  readonly remotePrefixes: readonly IpPrefix[] | undefined;
  /** Names of the uplinks that an earlier agent has found: they are uplinks until other nodes' prefixes are known. */
  readonly uplinksBefore: readonly string[];
  /** Interfaces that were a workload's, and are still the same: none becomes an uplink because the routes have changed. */
  readonly workloads: ReadonlySet<number>;
}

/** The host-side interface of a workload, seen from the node alone: nothing here is the workload's to say. */
export interface WorkloadLink {
  readonly link: Link;
  readonly addresses: readonly IpAddress[];
}

/** The interfaces that matter to the gate. */
export interface ClassifiedInterfaces {
  readonly uplinks: readonly number[];
  readonly uplinkNames: readonly string[];
  readonly workloads: readonly WorkloadLink[];
  /** The node's own addresses. */
  readonly nodeAddresses: readonly IpAddress[];
  /** Interfaces that are not what their routes would make of them, for people. */
  readonly problems: readonly string[];
}

function fullLength(address: IpAddress): number {
  return address.family === 4 ? 32 : 128;
}

function isLinkLocal(address: IpAddress): boolean {
  return address.family === 4 ? address.text.startsWith('169.254.') : /^fe[89ab]/.test(address.text);
}

/** Whether the far end of a veth is another namespace's: what is heard from there may be a workload's word. */
function facesNamespace(link: Link): boolean {
  return link.kind === 'veth' && link.peerNamespaceId !== undefined;
}

/**
 * The state without what a workload can bring about: the addresses and routes that the kernel makes of router advertisements (RFC 4861, RFC 4862)
 * which come by a veth. A route to an advertised prefix is the kernel's own; so is that to the subnet of an address, which the node then has.
 */
function withoutAdvertised(state: NetworkState): NetworkState {
  const facing = new Set(state.links.filter(facesNamespace).map(({ index }) => index));
  const addresses = state.addresses.filter(({ interfaceIndex, permanent }) => permanent || !facing.has(interfaceIndex));
  const hasAddressIn = (index: number, { destination, prefixLength }: Route): boolean => {
    const prefix = parseIpPrefix(`${destination.text}/${prefixLength}`);
    return addresses.some(({ interfaceIndex, address }) => interfaceIndex === index && prefixContains(prefix, address));
  };
  const stands = (route: Route, index: number): boolean =>
    !facing.has(index) ||
    (route.protocol !== ROUTE_PROTOCOL.routerAdvertisement && (route.protocol !== ROUTE_PROTOCOL.kernel || hasAddressIn(index, route)));
  const routes = state.routes.map((route) => ({
    ...route,
    interfaceIndexes: route.interfaceIndexes.filter((index) => stands(route, index)),
  }));
  return { links: state.links, addresses, routes };
}

/** The interfaces by which packets leave the node. Routes to one address of a neighbour say nothing: a workload has such ones. */
function leadingOut({ links, routes }: NetworkState, rule: UplinkRule): readonly Link[] {
  if (rule.uplinks) return links.filter(({ name }) => rule.uplinks?.includes(name));
  const leadsOut = (route: Route): boolean => {
    if (!route.gateway && route.prefixLength === fullLength(route.destination)) return false;
    if (route.prefixLength === 0) return true;
    const prefix = parseIpPrefix(`${route.destination.text}/${route.prefixLength}`);
    return (rule.remotePrefixes ?? []).some((remote) => prefixContains(prefix, remote.address) || prefixContains(remote, prefix.address));
  };
  const indexes = new Set(routes.filter(leadsOut).flatMap(({ interfaceIndexes }) => interfaceIndexes));
  const before = rule.remotePrefixes === undefined ? rule.uplinksBefore : [];
  return links.filter(({ index, name }) => indexes.has(index) || before.includes(name));
}

/** Why an interface that leads out of the node can be no uplink; undefined if it can. */
function unfit(link: Link, rule: UplinkRule): string | undefined {
  if (!link.ethernet)
    return `${link.name} leads out of the node and has no Ethernet header: no gate can work there, and managed workloads reach nothing by it; route them by an Ethernet interface`;
  if (!rule.uplinks && rule.workloads.has(link.index))
    return `${link.name} was a workload's interface, and now routes lead out of the node by it: it stays a workload's; name the uplinks with --uplink`;
  return undefined;
}

/**
 * Tells uplinks from workloads. A workload is behind a veth whose other end lies in another network namespace and which is no uplink and no part
 * of a subnet. Its addresses are those that the node's host routes send there; one that is sent to two interfaces belongs to neither.
 */
export function classifyInterfaces(everything: NetworkState, rule: UplinkRule): ClassifiedInterfaces {
  const state = withoutAdvertised(everything);
  const out = leadingOut(state, rule).map((link) => ({ index: link.index, problem: unfit(link, rule) }));
  const uplinks = new Set(out.filter(({ problem }) => problem === undefined).map(({ index }) => index));
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
    facesNamespace(link) &&
    !uplinks.has(link.index) &&
    // Where uplinks are named, everything else of this kind is a workload's.
    (rule.uplinks !== undefined || !inSubnet.has(link.index));
  const own = new Map(state.addresses.map(({ address }) => [address.text, address]));
  return {
    uplinks: [...uplinks].sort((a, b) => a - b),
    uplinkNames: state.links
      .filter(({ index }) => uplinks.has(index))
      .map(({ name }) => name)
      .sort(),
    workloads: state.links.filter(isWorkload).map((link) => ({ link, addresses: addressesOf(link.index) })),
    nodeAddresses: [...own.values()],
    problems: out.flatMap(({ problem }) => problem ?? []),
  };
}
