import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addressFromBytes, parseIpAddress } from '#core/network/address';
import { type IpPrefix, parseIpPrefix, prefixContains } from '#core/network/prefix';
import { parseTrustDomain } from '#core/spiffe/id';
import { buildDirectory, type DirectoryNode, findPrefixConflict } from './directory.ts';
import { nodeSpiffeId } from './node-id.ts';

const EAST = parseTrustDomain('east.example');

function node(name: string, prefixes: readonly IpPrefix[]): DirectoryNode {
  return { source: EAST, realm: 0, nodeId: nodeSpiffeId(EAST, name), kind: 'node', prefixes, endpoints: [], generation: 1n };
}
const declared = (name: string, ...prefixes: readonly string[]): DirectoryNode => node(name, prefixes.map(parseIpPrefix));

describe('the node directory', () => {
  const directory = buildDirectory([
    declared('wide', '10.0.0.0/8', '::/0'),
    declared('narrow', '10.1.0.0/16', '2001:db8::/32'),
    declared('one', '10.1.2.3'),
    declared('silent'),
  ]);

  test.each([
    ['10.9.9.9', 'wide'],
    ['10.1.9.9', 'narrow'],
    ['10.1.2.3', 'one'],
    ['::ffff:10.1.2.3', 'one'],
    ['2001:db8::1', 'narrow'],
    ['2001:db9::1', 'wide'],
    ['192.0.2.1', undefined],
  ])('%s is served by %s', (address, name) => {
    expect(directory.nodeOf(parseIpAddress(address))?.nodeId).toBe(name && nodeSpiffeId(EAST, name));
  });

  test('knows nodes without prefixes', () => {
    expect(directory.nodes.has(nodeSpiffeId(EAST, 'silent'))).toBe(true);
  });

  test('refuses a prefix that two nodes claim, and names both', () => {
    expect(() => buildDirectory([declared('a', '10.0.0.0/8'), declared('b', '10.0.0.0/8')])).toThrow(
      /10\.0\.0\.0\/8 is claimed by .*\/a and by .*\/b/,
    );
  });

  test('takes a prefix that one node claims twice', () => {
    expect(() => buildDirectory([declared('a', '10.0.0.0/8', '10.0.0.0/8')])).not.toThrow();
  });

  test('answers with the longest prefix that contains the address, for all prefixes', () => {
    // Few bits differ, so that prefixes nest and addresses fall into them.
    const bytes = fc.tuple(fc.constantFrom(10, 11), fc.constantFrom(0, 128, 255), fc.constantFrom(0, 1), fc.constantFrom(0, 255));
    const address = bytes.map((four) => addressFromBytes(Uint8Array.from(four)));
    const prefix = fc.tuple(address, fc.integer({ min: 0, max: 32 })).map(([at, length]) => {
      const bits = at.text.split('.').reduce((value, byte) => value * 256n + BigInt(byte), 0n);
      const kept = (bits >> BigInt(32 - length)) << BigInt(32 - length);
      return parseIpPrefix(`${[24n, 16n, 8n, 0n].map((shift) => (kept >> shift) & 255n).join('.')}/${length}`);
    });
    const prefixes = fc.uniqueArray(prefix, { selector: (p) => p.text, maxLength: 8 });
    fc.assert(
      fc.property(prefixes, address, (all, asked) => {
        const nodes = all.map((p, i) => node(`n${i}`, [p]));
        const [longest] = all
          .map((p, i) => ({ p, i }))
          .filter(({ p }) => prefixContains(p, asked))
          .sort((a, b) => b.p.length - a.p.length);
        expect(buildDirectory(nodes).nodeOf(asked)).toBe(longest && nodes[longest.i]);
      }),
    );
  });
});

describe('findPrefixConflict', () => {
  const nodes = [declared('a', '10.1.0.0/16'), declared('b', 'fd00::/64')];
  test.each([
    ['c', ['10.2.0.0/16', 'fd00:0:0:1::/64'], undefined],
    ['c', ['10.1.2.0/24'], 'a'],
    ['c', ['10.0.0.0/8'], 'a'],
    ['c', ['10.9.0.0/16', 'fd00::1'], 'b'],
    ['c', ['::/0'], 'b'],
    ['a', ['10.1.0.0/16', '10.0.0.0/8'], undefined],
    ['a', ['fd00::/64'], 'b'],
  ])('node %s wanting %j collides with %s', (name, wanted, other) => {
    const conflict = findPrefixConflict(wanted.map(parseIpPrefix), nodeSpiffeId(EAST, name), nodes);
    expect(conflict?.other.nodeId).toBe(other && nodeSpiffeId(EAST, other));
  });
});
