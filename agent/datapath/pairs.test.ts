import { describe, expect, test } from '@jest/globals';
import { parseIpAddress } from '#core/network/address';
import { isSymbolonError } from '#core/errors/error';
import type { Grant } from '#core/policy/model';
import type { EndpointId, PairSpec, SessionIndex } from './contract.ts';
import { PairTable } from './pairs.ts';
import { decodePairRows, isFlushingRow } from './rows/pair-rows.ts';
import { MemoryMap } from './testing/memory-map.ts';

const tcp = (lowPort: number, highPort = lowPort): Grant => ({ protocol: 6, lowPort, highPort });
const icmp: Grant = { protocol: 1, lowPort: 0, highPort: 65_535 };

function pair(number: number, grants: readonly Grant[], changes: Partial<PairSpec> = {}): PairSpec {
  return {
    pair: number,
    realm: 0,
    endpoint: 7 as EndpointId,
    local: parseIpAddress('10.1.0.2'),
    remote: parseIpAddress('10.2.0.2'),
    role: 'client',
    grants,
    session: 3 as SessionIndex,
    notAfterBootNs: 99n,
    ...changes,
  };
}

function setup(map = new MemoryMap()): { map: MemoryMap; table: PairTable; rows: () => readonly string[]; taken: () => number } {
  let epoch = 0;
  const table = new PairTable(map, { nextEpoch: () => ++epoch });
  return {
    map,
    table,
    taken: () => epoch,
    /** `protocol/port@epoch#pair` of every row, sorted. */
    rows: () =>
      decodePairRows(map.entries().map(([key, value]) => ({ key, value })))
        .flatMap(({ spec, rows }) => rows.map(({ granted, epoch: e }) => `${granted.protocol}/${granted.servicePort}@${e}#${spec.pair}`))
        .toSorted(),
  };
}

const live = (): boolean => true;
const lapsed = (): boolean => false;

describe('install', () => {
  test('writes a row for each protocol and single port, all of one new epoch', () => {
    const { table, rows } = setup();
    table.install(pair(1, [tcp(8443), tcp(9000, 9100), icmp]), 'LIVE', live);
    expect(rows()).toEqual(['1/0@1#1', '6/0@1#1', '6/8443@1#1']);
    expect(table.list()).toMatchObject([{ epoch: 1, spec: { pair: 1 } }]);
  });

  test.each([
    ['the same grants', [tcp(8443), tcp(9000, 9100)], ['6/0@1#2', '6/8443@1#2']],
    ['a port more', [tcp(8443), tcp(8444), tcp(9000, 9100)], ['6/0@1#2', '6/8443@1#2', '6/8444@2#2']],
    ['a port less', [tcp(9000, 9100)], ['6/0@1#2']],
    ['a wider range', [tcp(8443), tcp(9000, 9200)], ['6/0@1#2', '6/8443@1#2']],
    ['a narrower range', [tcp(8443), tcp(9000, 9050)], ['6/0@2#2', '6/8443@1#2']],
  ])('over a live pair with %s keeps the epoch of what is still allowed', (_, grants, expected) => {
    const { table, rows } = setup();
    table.install(pair(1, [tcp(8443), tcp(9000, 9100)]), 'LIVE', live);
    table.install(pair(2, grants), 'LIVE', live);
    expect(rows()).toEqual(expected);
    expect(table.remove(1)).toBe(false);
    expect(rows()).toEqual(expected);
  });

  test('over a lapsed pair begins a new epoch', () => {
    const { table, rows } = setup();
    table.install(pair(1, [tcp(8443)]), 'LIVE', live);
    table.install(pair(2, [tcp(8443)]), 'LIVE', lapsed);
    expect(rows()).toEqual(['6/8443@2#2']);
  });

  test('after a removal begins a new epoch', () => {
    const { table, rows } = setup();
    table.install(pair(1, [tcp(8443)]), 'LIVE', live);
    expect(table.remove(1)).toBe(true);
    expect(rows()).toEqual([]);
    table.install(pair(1, [tcp(8443)]), 'LIVE', live);
    expect(rows()).toEqual(['6/8443@2#1']);
  });

  test.each([
    ['role', { role: 'server' as const }],
    ['endpoint', { endpoint: 8 as EndpointId }],
    ['local address', { local: parseIpAddress('10.1.0.3') }],
    ['remote address', { remote: parseIpAddress('10.2.0.3') }],
  ])('of another %s stands beside it', (_, changes) => {
    const { table, rows } = setup();
    table.install(pair(1, [tcp(8443)]), 'LIVE', live);
    table.install(pair(2, [tcp(8443)], changes), 'LIVE', live);
    expect(rows()).toEqual(['6/8443@1#1', '6/8443@2#2']);
    table.remove(2);
    expect(rows()).toEqual(['6/8443@1#1']);
  });

  test('refuses more ranges than a row holds, and leaves everything as it was', () => {
    const { table, rows } = setup();
    table.install(pair(1, [tcp(8443)]), 'LIVE', live);
    const ranges = Array.from({ length: 9 }, (_, i) => tcp(1000 + 10 * i, 1005 + 10 * i));
    let thrown: unknown;
    try {
      table.install(pair(2, ranges), 'LIVE', live);
    } catch (error) {
      thrown = error;
    }
    expect(isSymbolonError(thrown, 'PAIR_REFUSED') && thrown.context.reason).toBe('unsupported');
    expect(rows()).toEqual(['6/8443@1#1']);
  });

  test('that the map has no room for leaves neither pair', () => {
    const { table, rows } = setup(new MemoryMap(2));
    table.install(pair(1, [tcp(8443)]), 'LIVE', live);
    expect(() => table.install(pair(2, [tcp(8443), tcp(1), tcp(2)]), 'LIVE', live)).toThrow('E2BIG');
    expect(rows()).toEqual([]);
    expect(table.list()).toEqual([]);
  });
});

test('one number at both ends is removed at both; `only` limits it', () => {
  const { table, rows } = setup();
  table.install(pair(1, [tcp(8443)]), 'LIVE', live);
  table.install(pair(1, [tcp(8443)], { role: 'server', endpoint: 8 as EndpointId }), 'LIVE', live);
  expect(table.remove(1, ({ endpoint }) => endpoint === 8)).toBe(true);
  expect(rows()).toEqual(['6/8443@1#1']);
  expect(table.remove(1)).toBe(true);
  expect(rows()).toEqual([]);
});

test('new epochs for a session’s pairs leave those of other sessions alone', () => {
  const { table, rows } = setup();
  table.install(pair(1, [tcp(8443)]), 'LIVE', live);
  table.install(pair(2, [tcp(8443)], { remote: parseIpAddress('10.2.0.3'), session: 4 as SessionIndex }), 'LIVE', live);
  table.renewEpochs(3 as SessionIndex);
  expect(rows()).toEqual(['6/8443@2#2', '6/8443@3#1']);
});

describe('taking over', () => {
  test('finds the pairs that are in the map, as they were installed', () => {
    const { map, table } = setup();
    const specs = [
      pair(1, [tcp(8443), tcp(9000, 9100), icmp]),
      pair(2, [tcp(5)], { local: parseIpAddress('fd01::2'), remote: parseIpAddress('fd02::2') }),
    ];
    for (const spec of specs) table.install(spec, 'LIVE', live);
    const found = new PairTable(map, { nextEpoch: () => 50 }).list();
    expect(found).toHaveLength(2);
    for (const spec of specs) {
      const match = found.find(({ spec: { pair: number } }) => number === spec.pair);
      expect({ ...match?.spec, grants: new Set(match?.spec.grants) }).toEqual({ ...spec, grants: new Set(spec.grants) });
    }
  });

  test('opens what was still flushing', () => {
    const { map, table } = setup();
    table.install(pair(1, [tcp(8443)]), 'FLUSHING', live);
    expect(map.entries().map(([key, value]) => isFlushingRow({ key, value }))).toEqual([true]);
    const again = setup(map);
    expect(map.entries().map(([key, value]) => isFlushingRow({ key, value }))).toEqual([false]);
    expect(again.rows()).toEqual(['6/8443@1#1']);
  });

  test('keeps the newer of two pairs of which one was just replacing the other', () => {
    const { map, table } = setup();
    table.install(pair(1, [tcp(8443), icmp]), 'LIVE', live);
    const half = new MemoryMap();
    for (const [key, value] of map.entries()) half.set(key, value);
    const other = setup();
    other.table.install(pair(2, [tcp(8443)]), 'LIVE', live);
    for (const [key, value] of other.map.entries()) half.set(key, value);
    const { table: found, rows } = setup(half);
    expect(found.list().map(({ spec }) => spec.pair)).toEqual([2]);
    expect(rows()).toEqual(['6/8443@1#2']);
  });
});
