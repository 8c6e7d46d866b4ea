import { describe, expect, test } from '@jest/globals';
import { parseIpAddress } from '#core/network/address';
import { parseIpPrefix } from '#core/network/prefix';
import { parseSpiffeId, parseTrustDomain, type SpiffeId } from '#core/spiffe/id';
import { buildDirectory, type DirectoryNode } from './directory.ts';
import { nodeSpiffeId } from './node-id.ts';
import { maySpeakFor } from './placement.ts';

const EAST = parseTrustDomain('east.example');
const ONE = nodeSpiffeId(EAST, 'one');
const TWO = nodeSpiffeId(EAST, 'two');
const STRANGER = nodeSpiffeId(EAST, 'stranger');
const WORKLOAD = parseSpiffeId('spiffe://east.example/web');

function node(nodeId: SpiffeId, ...prefixes: readonly string[]): DirectoryNode {
  return { source: EAST, realm: 0, nodeId, kind: 'node', prefixes: prefixes.map(parseIpPrefix), endpoints: [], generation: 1n };
}

describe('maySpeakFor', () => {
  const directory = buildDirectory([node(ONE, '10.0.0.0/8', 'fd00::/16'), node(TWO, '10.2.0.0/16')]);

  test.each<[string, SpiffeId, SpiffeId | undefined, string, string | undefined]>([
    ['its own workload at its own address', ONE, ONE, '10.1.0.1', undefined],
    ['its own workload over IPv6', ONE, ONE, 'fd00::1', undefined],
    ['the node with the longer prefix', TWO, TWO, '10.2.0.1', undefined],
    ['an address that a longer prefix gives to another node', ONE, ONE, '10.2.0.1', 'address-not-of-node'],
    ['an address of another node', TWO, TWO, '10.1.0.1', 'address-not-of-node'],
    ['an address of no node', ONE, ONE, '192.0.2.1', 'address-not-of-node'],
    ['a workload whose SVID was issued to another node', ONE, TWO, '10.1.0.1', 'not-issued-to-node'],
    ['a workload whose SVID was issued to a workload', ONE, WORKLOAD, '10.1.0.1', 'not-issued-to-node'],
    ['an SVID that names no node', ONE, undefined, '10.1.0.1', 'no-placement'],
    ['a node that the directory lacks', STRANGER, STRANGER, '10.1.0.1', 'node-unknown'],
  ])('%s', (_, speaker, issuedTo, address, expected) => {
    expect(maySpeakFor(directory, speaker, issuedTo, parseIpAddress(address))).toBe(expected);
  });
});
