import type { IpAddress } from '#core/network/address';
import { AUTHORITY, hostSideInterface, OPERATOR, routerSideInterface, UPLINK } from './names.ts';
import { addressOf, type LabSpec, type NodeSpec, type WorkloadSpec } from './spec.ts';

/** Lines for `ip -batch` in one network namespace. */
export type IpBatch = readonly string[];

/** The near end of an unnumbered link: every link has its own, no two places share a layer 2. */
type Gateway = Readonly<Record<4 | 6, string>>;
/** The router's address on every link. It must not be one of the node's own: a node ignores who asks from its own address. */
const ROUTER_GATEWAY: Gateway = { 4: '169.254.1.1', 6: 'fe80::1' };
/** A node's address on every workload's link. */
const NODE_GATEWAY: Gateway = { 4: '169.254.1.2', 6: 'fe80::2' };
const ANY: Readonly<Record<4 | 6, string>> = { 4: '0.0.0.0/0', 6: '::/0' };
const full = (address: IpAddress): string => `${address.text}/${address.family === 4 ? 32 : 128}`;
const nodad = (family: 4 | 6): string => (family === 6 ? ' nodad' : '');

function addressLines(addresses: readonly IpAddress[], device: string): IpBatch {
  return addresses.map((a) => `addr add ${full(a)} dev ${device}${nodad(a.family)}`);
}

function gatewayLines(device: string, gateway: Gateway): IpBatch {
  return [`addr replace ${gateway[4]}/32 dev ${device} scope link`, `addr replace ${gateway[6]}/64 dev ${device} nodad`];
}

function defaultRoutes(addresses: readonly IpAddress[], device: string, gateway: Gateway): IpBatch {
  return addresses.map((a) => `route add ${ANY[a.family]} via ${gateway[a.family]} dev ${device} onlink src ${a.text}`);
}

/** Every place on the router, by its name. */
function placesOf(spec: LabSpec): readonly { readonly name: string; readonly addresses: readonly IpAddress[] }[] {
  return [{ name: AUTHORITY, ...spec.authority }, { name: OPERATOR, ...spec.operator }, ...spec.nodes];
}

/** The router: one link to every place, with planRouterLink's routes. `pidOf` names a process in a place's namespaces. */
export function planRouter(spec: LabSpec, pidOf: (place: string) => number): IpBatch {
  const links = placesOf(spec).flatMap(({ name }) => [
    `link add ${routerSideInterface(name)} type veth peer name ${UPLINK} netns ${pidOf(name)}`,
    ...planRouterLink(spec, name),
  ]);
  return ['link set lo up', ...addressLines(spec.router.addresses, 'lo'), ...links];
}

/** The router's side of the link to a place: routes to its addresses and prefixes. May be applied again after the link was down. */
export function planRouterLink(spec: LabSpec, name: string): IpBatch {
  const device = routerSideInterface(name);
  const addresses = placesOf(spec).find((p) => p.name === name)?.addresses ?? [];
  const prefixes = spec.nodes.find((n) => n.name === name)?.prefixes ?? [];
  const routes = addresses.flatMap((address) => {
    const source = addressOf(spec.router.addresses, address.family);
    const from = source ? ` src ${source.text}` : '';
    const behind = prefixes.filter((p) => p.address.family === address.family);
    return [
      `route replace ${full(address)} dev ${device}${from}`,
      ...behind.map((prefix) => `route replace ${prefix.text} via ${address.text} dev ${device} onlink${from}`),
    ];
  });
  return [`link set ${device} up`, ...gatewayLines(device, ROUTER_GATEWAY), ...routes];
}

/** The far end of a link: of a node, the authority or the operator on the router's; of a workload on its node's. */
export function planFarEnd(addresses: readonly IpAddress[], of: 'router' | 'node'): IpBatch {
  const gateway = of === 'router' ? ROUTER_GATEWAY : NODE_GATEWAY;
  return ['link set lo up', ...addressLines(addresses, UPLINK), `link set ${UPLINK} up`, ...defaultRoutes(addresses, UPLINK, gateway)];
}

/** What a node has beside its uplink: addresses of its prefixes that no workload has are unreachable, instead of looping. */
export function planNodePrefixes(node: NodeSpec): IpBatch {
  return node.prefixes.map((p) => `route add unreachable ${p.text} metric 4096`);
}

/** The pair of interfaces of a workload; `namespace` is the name of its network namespace on the node. */
export function planWorkloadLink(workload: WorkloadSpec, namespace: string): IpBatch {
  return [`link add ${hostSideInterface(workload.name)} type veth peer name ${UPLINK} netns ${namespace}`];
}

/** The node's side of a workload's link: one route for each of its addresses. */
export function planHostSide(workload: WorkloadSpec, nodeAddresses: readonly IpAddress[]): IpBatch {
  const device = hostSideInterface(workload.name);
  return [
    ...gatewayLines(device, NODE_GATEWAY),
    `link set ${device} up`,
    ...workload.addresses.map((a) => {
      const source = addressOf(nodeAddresses, a.family);
      return `route replace ${full(a)} dev ${device}${source ? ` src ${source.text}` : ''}`;
    }),
  ];
}
