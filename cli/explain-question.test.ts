import { describe, expect, test } from '@jest/globals';
import { parseIpAddress } from '#core/network/address';
import { parseIpPrefix } from '#core/network/prefix';
import { compile } from '#core/policy/compile';
import { buildDirectory } from '#core/registration/directory';
import { nodeSpiffeId } from '#core/registration/node-id';
import { parseSpiffeId, parseTrustDomain } from '#core/spiffe/id';
import type { Declared } from './declared.ts';
import { familyOf, parseDestination, parseEnd, resolveEnd } from './explain-question.ts';

const trustDomain = parseTrustDomain('east.example');
const node = nodeSpiffeId(trustDomain, 'east-1');
const web = parseSpiffeId('spiffe://east.example/web');
const declared: Declared = {
  trustDomain,
  policies: compile([]),
  standings: new Map(),
  identities: [
    { id: web, node, addresses: [parseIpAddress('10.1.0.10')], enforcement: 'all' },
    { id: parseSpiffeId('spiffe://east.example/lost'), node, addresses: [parseIpAddress('10.9.0.10')], enforcement: 'inbound' },
    { id: parseSpiffeId('spiffe://east.example/float'), node, addresses: [], enforcement: 'off' },
  ],
  directory: buildDirectory([
    { source: trustDomain, realm: 0, nodeId: node, kind: 'node', prefixes: [parseIpPrefix('10.1.0.0/24')], endpoints: [], generation: 1n },
  ]),
};

describe('destinations', () => {
  test.each([
    ['payments:8443', 'payments', 'tcp/8443'],
    ['payments:5353/udp', 'payments', 'udp/5353'],
    ['spiffe://east.example/payments:8443/tcp', 'spiffe://east.example/payments', 'tcp/8443'],
    ['10.2.0.10:80', '10.2.0.10', 'tcp/80'],
    ['[fd00:2::10]:5353/udp', '[fd00:2::10]', 'udp/5353'],
    ['payments/icmp', 'payments', 'icmp'],
    ['fd00:2::10/icmp', 'fd00:2::10', 'icmp'],
  ])('%s', (text, end, traffic) => {
    const parsed = parseDestination(text);
    expect([parsed.end, parsed.traffic.text]).toEqual([end, traffic]);
  });

  test.each([
    ['payments', 'it names no port'],
    ['payments:http', 'it names no port'],
    ['payments:80/sctp', 'it names no port'],
    ['fd00:2::10:8443', 'put an IPv6 address into brackets'],
    ['payments:0', 'not within 1 to 65535'],
  ])('%s is refused', (text, why) => {
    expect(() => parseDestination(text)).toThrow(why);
  });
});

test.each([
  ['web', { kind: 'id', id: web }],
  ['spiffe://east.example/web', { kind: 'id', id: web }],
  ['10.1.0.10', { kind: 'address', address: { family: 4, text: '10.1.0.10' } }],
  ['[FD00:1::10]', { kind: 'address', address: { family: 6, text: 'fd00:1::10' } }],
] as const)('the end %s', (text, end) => {
  expect(parseEnd(text, trustDomain)).toEqual(end);
});

test.each([
  ['web', { label: web, id: web, node, enforcement: 'all', inDirectory: true }],
  ['10.1.0.10', { label: web, id: web, node, enforcement: 'all', inDirectory: true }],
  ['lost', { id: 'spiffe://east.example/lost', enforcement: 'inbound', inDirectory: false }],
  ['float', { id: 'spiffe://east.example/float', enforcement: 'off', inDirectory: true }],
  ['nobody', { label: 'spiffe://east.example/nobody', enforcement: 'off', inDirectory: false }],
  ['10.1.0.99', { label: '10.1.0.99', enforcement: 'off', inDirectory: true }],
  ['192.0.2.5', { label: '192.0.2.5', enforcement: 'off', inDirectory: false }],
])('%s is looked up in what is declared', (text, expected) => {
  const end = resolveEnd(parseEnd(text, trustDomain), declared);
  expect(end).toMatchObject(expected);
  expect('id' in end).toBe('id' in expected);
});

test('the family is that of the addresses, and one only', () => {
  const end = (text: string) => parseEnd(text, trustDomain);
  expect(familyOf(end('web'), end('web'))).toBe(4);
  expect(familyOf(end('web'), end('fd00::1'))).toBe(6);
  expect(() => familyOf(end('10.1.0.10'), end('fd00::1'))).toThrow('nothing connects them');
});
