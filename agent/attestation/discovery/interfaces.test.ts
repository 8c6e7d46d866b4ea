import { describe, expect, test } from '@jest/globals';
import { parseIpAddress } from '#core/network/address';
import { parseIpPrefix } from '#core/network/prefix';
import type { InterfaceAddress } from '../../kernel/netlink/address-message.ts';
import type { Link } from '../../kernel/netlink/link-message.ts';
import { type Route, ROUTE_PROTOCOL } from '../../kernel/netlink/route-message.ts';
import { classifyInterfaces, type UplinkRule } from './interfaces.ts';

const STATIC = 4; // RTPROT_STATIC
const { kernel: KERNEL, routerAdvertisement: RA } = ROUTE_PROTOCOL;

const link = (index: number, name: string, fields: Partial<Link> = {}): Link => ({
  index,
  name,
  kind: undefined,
  up: true,
  ethernet: true,
  mac: '',
  peerIndex: undefined,
  peerNamespaceId: undefined,
  ...fields,
});
const veth = (index: number, name: string): Link => link(index, name, { kind: 'veth', peerIndex: 2, peerNamespaceId: index });
function route(to: string, index: number, how: { readonly gateway?: boolean; readonly protocol?: number } = {}): Route {
  const { address, length } = parseIpPrefix(to);
  return { destination: address, prefixLength: length, interfaceIndexes: [index], gateway: false, protocol: STATIC, ...how };
}
function address(text: string, index: number, permanent = true): InterfaceAddress {
  const [host = '', length = ''] = text.split('/');
  return { interfaceIndex: index, address: parseIpAddress(host), prefixLength: Number(length), permanent };
}

const ETH0 = link(2, 'eth0');
const WEB = veth(10, 'web');
const GATEWAY = route('0.0.0.0/0', 2, { gateway: true });
const TO_WEB = route('10.1.0.5/32', 10);

interface Scene {
  readonly links?: readonly Link[];
  readonly addresses?: readonly InterfaceAddress[];
  readonly routes?: readonly Route[];
  readonly rule?: Partial<UplinkRule>;
}
/** The node of every row, and what a row adds to it. */
function classify({ links = [], addresses = [], routes = [], rule = {} }: Scene) {
  const state = { links: [ETH0, WEB, ...links], addresses, routes: [GATEWAY, TO_WEB, ...routes] };
  const found = classifyInterfaces(state, {
    uplinks: undefined,
    remotePrefixes: [parseIpPrefix('10.2.0.0/24'), parseIpPrefix('fd02::/64')],
    uplinksBefore: ['up'],
    workloads: new Set(),
    ...rule,
  });
  const names = new Map([...state.links].map(({ index, name }) => [index, name]));
  expect(found.uplinkNames).toEqual(found.uplinks.map((index) => names.get(index) ?? '').toSorted());
  return {
    uplinks: found.uplinks.map((index) => names.get(index)),
    workloads: found.workloads.map((workload) => workload.link.name),
    problems: found.problems,
  };
}

describe('classifyInterfaces', () => {
  test.each<[string, Scene, readonly string[], readonly string[]]>([
    ['the default route is an uplink, a veth with an address of its own a workload', {}, ['eth0'], ['web']],
    [
      'a gateway to another node',
      { links: [link(3, 'eth1')], routes: [route('10.2.0.0/24', 3, { gateway: true })] },
      ['eth0', 'eth1'],
      ['web'],
    ],
    [
      'a gateway to one address there',
      { links: [link(3, 'eth1')], routes: [route('10.2.0.7/32', 3, { gateway: true })] },
      ['eth0', 'eth1'],
      ['web'],
    ],
    ['a subnet of another node', { links: [link(3, 'eth1')], routes: [route('10.2.0.0/25', 3)] }, ['eth0', 'eth1'], ['web']],
    ['a veth may be an uplink', { links: [veth(3, 'up')], routes: [route('10.2.0.0/24', 3, { gateway: true })] }, ['eth0', 'up'], ['web']],
    [
      'a workload whose address is in another node’s prefix by now stays one',
      { links: [veth(11, 'moved')], routes: [route('10.2.0.130/32', 11)] },
      ['eth0'],
      ['web', 'moved'],
    ],
    ['also in IPv6', { links: [veth(11, 'moved')], routes: [route('fd02::7/128', 11)] }, ['eth0'], ['web', 'moved']],
    ['a veth of a subnet is no workload', { addresses: [address('10.1.0.1/24', 10)] }, ['eth0'], []],
    ['an advertised address makes no subnet of a workload', { addresses: [address('fd09::1/64', 10, false)] }, ['eth0'], ['web']],
    [
      'an advertised default route makes no uplink of it',
      { routes: [route('::/0', 10, { gateway: true, protocol: RA })] },
      ['eth0'],
      ['web'],
    ],
    ['nor an advertised route to another node', { routes: [route('fd02::/64', 10, { gateway: true, protocol: RA })] }, ['eth0'], ['web']],
    [
      'nor an advertised prefix, whose route is the kernel’s',
      { routes: [route('fd02::/64', 10, { protocol: KERNEL })] },
      ['eth0'],
      ['web'],
    ],
    [
      'also with the address that comes of it',
      { routes: [route('fd02::/64', 10, { protocol: KERNEL })], addresses: [address('fd02::1/64', 10, false)] },
      ['eth0'],
      ['web'],
    ],
    [
      'hardware believes advertisements',
      { links: [link(3, 'eth1')], routes: [route('::/0', 3, { gateway: true, protocol: RA })] },
      ['eth0', 'eth1'],
      ['web'],
    ],
    [
      'the subnet of an administrator’s address counts on a veth too',
      { links: [veth(3, 'up')], routes: [route('fd02::/64', 3, { protocol: KERNEL })], addresses: [address('fd02::1/64', 3)] },
      ['eth0', 'up'],
      ['web'],
    ],
    [
      'an uplink of before is one as long as nobody knows where other nodes are',
      { links: [veth(3, 'up')], rule: { remotePrefixes: undefined } },
      ['eth0', 'up'],
      ['web'],
    ],
    ['and then no longer', { links: [veth(3, 'up')] }, ['eth0'], ['web', 'up']],
    ['named uplinks are those that are named', { links: [veth(3, 'up')], rule: { uplinks: ['up'] } }, ['up'], ['web']],
    ['also one that was a workload’s', { rule: { uplinks: ['web'], workloads: new Set([10]) } }, ['web'], []],
  ])('%s', (_, scene, uplinks, workloads) => {
    expect(classify(scene)).toEqual({ uplinks, workloads, problems: [] });
  });

  test.each<[string, Scene, readonly string[], string]>([
    [
      'WireGuard',
      { links: [link(4, 'wg0', { kind: 'wireguard', ethernet: false })], routes: [route('10.2.0.0/24', 4)] },
      ['eth0'],
      'wg0 leads out of the node and has no Ethernet header',
    ],
    ['ppp', { links: [link(4, 'ppp0', { ethernet: false })], routes: [route('0.0.0.0/0', 4)] }, ['eth0'], 'ppp0 leads out'],
    [
      'a tunnel that is named',
      { links: [link(4, 'tun0', { kind: 'tun', ethernet: false })], rule: { uplinks: ['eth0', 'tun0'] } },
      ['eth0'],
      'tun0 leads out',
    ],
    [
      'what was a workload’s',
      { routes: [route('10.2.0.0/24', 10, { gateway: true })], rule: { workloads: new Set([10]) } },
      ['eth0'],
      "web was a workload's interface",
    ],
  ])('no uplink, and a problem: %s', (_, scene, uplinks, problem) => {
    expect(classify(scene)).toEqual({ uplinks, workloads: ['web'], problems: [expect.stringContaining(problem)] });
  });

  test('a tunnel that leads to nobody is no problem', () => {
    expect(classify({ links: [link(4, 'wg0', { ethernet: false })], routes: [route('192.0.2.0/24', 4)] }).problems).toEqual([]);
  });
});
