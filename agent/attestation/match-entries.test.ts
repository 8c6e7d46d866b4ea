import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseIpAddress } from '#core/network/address';
import { parseIpPrefix } from '#core/network/prefix';
import { buildDirectory } from '#core/registration/directory';
import type { RegistrationEntry } from '#core/registration/entry';
import { nodeSpiffeId } from '#core/registration/node-id';
import { parseSelector } from '#core/registration/selector';
import { parseSpiffeId, parseTrustDomain } from '#core/spiffe/id';
import { matchEntries } from './match-entries.ts';

const east = parseTrustDomain('east.example');
const nodeId = nodeSpiffeId(east, 'east-1');
const node = (name: string, prefix: string) => ({
  source: east,
  realm: 0,
  nodeId: nodeSpiffeId(east, name),
  kind: 'node' as const,
  prefixes: [parseIpPrefix(prefix)],
  endpoints: [],
  generation: 0n,
});
const directory = buildDirectory([node('east-1', '10.1.0.0/24'), node('east-2', '10.2.0.0/24')]);

function entry(path: string, selectors: readonly string[], fields: Partial<RegistrationEntry> = {}): RegistrationEntry {
  return {
    id: `entry${path}`,
    spiffeId: parseSpiffeId(`spiffe://east.example${path}`),
    parentId: nodeId,
    selectors: selectors.map(parseSelector),
    addresses: [],
    federatesWith: [],
    x509SvidTtlSeconds: 0,
    dnsNames: [],
    hint: '',
    revision: 0n,
    ...fields,
  };
}

const web = entry('/web', ['unix:uid:1001']);
const webInCgroup = entry('/web', ['cgroup:path:/apps/web'], { id: 'entry-by-cgroup' });
const batch = entry('/batch', ['unix:uid:1002', 'unix:gid:1002']);
let nextPid = 100;
const process = (...selectors: readonly string[]) => ({ pid: nextPid++, selectors: selectors.map(parseSelector) });
const asWeb = () => process('unix:uid:1001', 'unix:gid:1001');
const asBatch = () => process('unix:uid:1002', 'unix:gid:1002');
const nobody = () => process('unix:uid:9', 'unix:gid:9');

function match(processes: readonly ReturnType<typeof process>[], entries: readonly RegistrationEntry[], addresses = ['10.1.0.2']) {
  return matchEntries({ processes, addresses: addresses.map(parseIpAddress) }, { entries, directory }, nodeId);
}

describe('matchEntries', () => {
  test.each([
    ['one process that matches', [asWeb()], [web, batch]],
    ['every process matches', [asWeb(), asWeb()], [web, batch]],
    [
      'two entries of one ID, one matches all',
      [process('unix:uid:1001', 'cgroup:path:/apps/web'), process('unix:uid:7', 'cgroup:path:/apps/web')],
      [web, webInCgroup],
    ],
  ])('an identity: %s', (_, processes, entries) => {
    expect(match(processes, entries)).toMatchObject({
      kind: 'identity',
      entry: { spiffeId: 'spiffe://east.example/web' },
      addresses: [{ text: '10.1.0.2' }],
    });
  });

  test.each([
    ['nobody matches', [nobody()], 'unmanaged'],
    ['some selectors of an entry are not enough', [process('unix:uid:1002', 'unix:gid:9')], 'unmanaged'],
    ['there is no process', [], 'pending'],
  ])('%s', (_, processes, kind) => {
    expect(match(processes, [web, batch])).toEqual({ kind });
  });

  test('without a view nobody is judged', () => {
    expect(matchEntries({ processes: [asWeb()], addresses: [parseIpAddress('10.1.0.2')] }, undefined, nodeId)).toEqual({ kind: 'pending' });
  });

  test.each([
    ['two identities', [asWeb(), asBatch()], [web, batch], 'one identity'],
    ['one process that matches two identities', [process('unix:uid:1001', 'unix:uid:1002', 'unix:gid:1002')], [web, batch], 'one identity'],
    ['an undeclared process beside a declared one', [asWeb(), nobody()], [web], 'matches no identity'],
    [
      'no entry of the identity matches all',
      [asWeb(), process('unix:uid:7', 'cgroup:path:/apps/web')],
      [web, webInCgroup],
      'no single entry',
    ],
  ])('refused: %s', (_, processes, entries, reason) => {
    expect(match(processes, entries)).toMatchObject({ kind: 'refused', reason: expect.stringContaining(reason) });
  });

  test.each([
    ['an address of another node', ['10.2.0.9'], {}, "outside the node's prefixes"],
    ['an address of no node', ['192.0.2.1'], {}, "outside the node's prefixes"],
    ['an address that the entry does not name', ['10.1.0.3'], { addresses: [parseIpAddress('10.1.0.2')] }, 'none of those'],
  ])('refused: %s', (_, addresses, fields, reason) => {
    expect(match([asWeb()], [{ ...web, ...fields }], addresses)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining(reason),
    });
  });

  test('addresses that are not its own are left out', () => {
    const limited = { ...web, addresses: [parseIpAddress('10.1.0.2'), parseIpAddress('10.2.0.2')] };
    expect(match([asWeb()], [limited], ['10.1.0.2', '10.1.0.3', '10.2.0.2', '192.0.2.1'])).toMatchObject({
      addresses: [{ text: '10.1.0.2' }],
    });
  });

  test('without an address yet it waits', () => {
    expect(match([asWeb()], [web], [])).toEqual({ kind: 'pending' });
  });

  test('of several entries of one ID the one that demands most counts', () => {
    const off = entry('/web', ['unix:uid:1001'], { id: 'a', enforcement: 'off' });
    const all = entry('/web', ['unix:uid:1001'], { id: 'b', enforcement: 'all' });
    expect(match([asWeb()], [off, all])).toMatchObject({ entry: { id: 'b' } });
  });

  test('the order of processes and entries never matters', () => {
    const processes = fc.array(fc.constantFrom(asWeb(), asBatch(), nobody()), { maxLength: 4 });
    fc.assert(
      fc.property(processes, fc.shuffledSubarray([web, webInCgroup, batch]), (found, entries) => {
        const kind = (a: ReturnType<typeof match>) => (a.kind === 'identity' ? a.entry.id : a.kind);
        expect(kind(match([...found].reverse(), [...entries].reverse()))).toBe(kind(match(found, entries)));
      }),
    );
  });

  test('one more process never turns another verdict into an identity', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(asWeb(), asBatch(), nobody()), { minLength: 1, maxLength: 4 }),
        fc.constantFrom(asWeb(), asBatch(), nobody()),
        (found, more) => {
          const before = match(found, [web, batch]);
          if (before.kind !== 'identity') expect(match([...found, more], [web, batch]).kind).not.toBe('identity');
        },
      ),
    );
  });
});
