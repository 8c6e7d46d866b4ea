import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { findCheckout } from './executables.ts';
import { parseLabFile } from './spec-file.ts';

const GOOD = `trustDomain: east.example
nodes:
  east-1:
    addresses: [198.51.100.1, '2001:db8::1']
    prefixes: [10.1.0.0/24, 'fd00:1::/64']
    workloads:
      web: { uid: 1001, addresses: [10.1.0.10, 'fd00:1::10'] }
  east-2:
    addresses: [198.51.100.2]
    prefixes: [10.2.0.0/24]
`;

/** GOOD with one text replaced. */
const but = (from: string, to: string): string => {
  if (!GOOD.includes(from)) throw new Error(`GOOD has no ${from}`);
  return GOOD.replace(from, to);
};

test('a lab file becomes a spec, with default places', () => {
  const spec = parseLabFile(GOOD);
  expect(spec.trustDomain).toBe('east.example');
  expect(spec.nodes.map((n) => n.name)).toEqual(['east-1', 'east-2']);
  expect(spec.nodes[0]?.workloads[0]).toMatchObject({ name: 'web', uid: 1001, addresses: [{ text: '10.1.0.10' }, { text: 'fd00:1::10' }] });
  expect(spec.nodes[1]?.workloads).toEqual([]);
  expect(spec.authority.port).toBe(7400);
  expect(spec.operator.addresses).toHaveLength(2);
});

test('the quickstart’s lab file is one', () => {
  const file = `${findCheckout()}/examples/quickstart/lab.yaml`;
  expect(parseLabFile(readFileSync(file, 'utf8'), file).nodes).toHaveLength(3);
});

const REFUSED: readonly (readonly [why: string, text: string, message: string])[] = [
  ['no YAML', but('nodes:', 'nodes: ['), 'lab.yaml:4:'],
  ['a key twice', but('    prefixes: [10.2.0.0/24]', '    addresses: [192.0.2.9]'), 'lab.yaml:10:5: Map keys must be unique'],
  ['an unknown key', but('uid: 1001', 'udi: 1001'), 'lab.yaml:7:14: nodes.east-1.workloads.web.udi: is not a key'],
  ['an unknown key at the top', but('trustDomain:', 'realm: 1\ntrustDomain:'), 'lab.yaml:1:1: realm: is not a key'],
  ['a bad trust domain', but('east.example', 'East'), 'lab.yaml:1:14: trustDomain: "East" is not a trust domain'],
  [
    'a bad address',
    but('198.51.100.1,', '198.51.100.256,'),
    'lab.yaml:4:17: nodes.east-1.addresses[0]: "198.51.100.256" is not an IP address',
  ],
  ['a prefix with host bits', but('10.1.0.0/24', '10.1.0.1/24'), 'lab.yaml:5:16: nodes.east-1.prefixes[0]: "10.1.0.1/24" has bits set'],
  ['two addresses of a family', but("'2001:db8::1'", '198.51.100.9'), 'nodes.east-1.addresses: at most one IPv4 and one IPv6 address'],
  ['uid 0', but('uid: 1001', 'uid: 0'), 'lab.yaml:7:19: nodes.east-1.workloads.web.uid: uid 0 may do everything'],
  [
    'a name too long for an interface',
    but('web:', 'a-workload-too-long:'),
    'lab.yaml:7:7: nodes.east-1.workloads.a-workload-too-long: a name has at most 12',
  ],
  ['a name of the lab’s own', but('east-2:', 'router:'), 'nodes.router: router, operator, authority are names'],
  [
    'a name taken by a node',
    but('web:', 'east-2:'),
    'lab.yaml:7:7: nodes.east-1.workloads.east-2: the name east-2 is taken by node east-2',
  ],
  [
    'an address used twice',
    but('[198.51.100.2]', '[198.51.100.1]'),
    'lab.yaml:9:17: nodes.east-2.addresses[0]: 198.51.100.1 is the address of node east-1',
  ],
  [
    'a workload outside its node',
    but('10.1.0.10,', '10.9.0.10,'),
    'lab.yaml:7:37: nodes.east-1.workloads.web.addresses[0]: 10.9.0.10 lies outside',
  ],
  ['overlapping prefixes', but('10.2.0.0/24', '10.1.0.0/25'), 'overlaps a prefix of node east-'],
  [
    'an IPv6 prefix without an IPv6 uplink',
    but('10.2.0.0/24', "'fd00:2::/64'"),
    'lab.yaml:10:16: nodes.east-2.prefixes[0]: fd00:2::/64 is IPv6, but',
  ],
  ['a prefix over an uplink', but('10.2.0.0/24', '198.51.100.0/24'), 'covers the uplink address 198.51.100.'],
  ['a port out of range', `${GOOD}authority: { port: 70000 }\n`, 'lab.yaml:11:20: authority.port: a port is at most 65535'],
  ['nothing at all', '', 'lab.yaml:1:1:'],
];

describe('refused with file, line, column and path', () => {
  test.each(REFUSED)('%s', (_, text, message) => {
    expect(() => parseLabFile(text)).toThrow(expect.objectContaining({ code: 'LAB_INVALID', message: expect.stringContaining(message) }));
  });
});
