import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { planDatapath } from './plan.ts';
import { addressOwnerKey, hex, u32 } from './rows/keys.ts';
import {
  type Attachment,
  attachmentKey,
  CONFIGURED_TABLES,
  type ConfiguredTable,
  type DatapathSpec,
  type KernelSnapshot,
  type MapChange,
} from './snapshot.ts';

type Pair = KernelSnapshot['pairs'][number];

const address = (n: number): string => hex(Buffer.alloc(16, n));

/** Small worlds, so that wanted and found often have things in common. */
const rows = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3 })), { selector: ([key]) => key, maxLength: 5 })
  .map((list) => new Map(list.map(([key, value]) => [hex(u32(key)), hex(u32(value))])));
const owners = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })), { selector: ([key]) => key, maxLength: 5 })
  .map((list) => new Map(list.map(([key, value]) => [addressOwnerKey(address(key)), hex(u32(value))])));
const attachments = fc
  .array(
    fc.record({
      interfaceIndex: fc.integer({ min: 1, max: 3 }),
      direction: fc.constantFrom('ingress' as const, 'egress' as const),
      program: fc.constantFrom('p', 'q'),
    }),
  )
  .map((list) => new Map(list.map((a): [string, Attachment] => [attachmentKey(a), a])));
const spec: fc.Arbitrary<DatapathSpec> = fc.record({
  tables: fc.record({ sym_endpoints: rows, sym_owner: owners, sym_prefixes: rows, sym_peers: rows, sym_local: rows, sym_gates: rows }),
  attachments,
});
const pairs: fc.Arbitrary<readonly Pair[]> = fc.uniqueArray(
  fc.record({
    pair: fc.integer({ min: 1, max: 9 }),
    endpoint: fc.integer({ min: 1, max: 5 }),
    local: fc.integer({ min: 1, max: 5 }).map(address),
    // Beyond 5 nobody on this node has the address.
    remote: fc.integer({ min: 1, max: 7 }).map(address),
    role: fc.constantFrom('client' as const, 'server' as const),
  }),
  { selector: ({ pair }) => pair, maxLength: 6 },
);

/** Carries the steps out on plain data; `each` sees every state on the way. */
function apply(
  changes: readonly MapChange[],
  found: KernelSnapshot,
  each: (state: KernelSnapshot) => void = () => undefined,
): KernelSnapshot {
  const tables = Object.fromEntries(CONFIGURED_TABLES.map((t) => [t, new Map(found.tables[t])])) as Record<
    ConfiguredTable,
    Map<string, string>
  >;
  const places = new Map(found.attachments);
  let left = found.pairs;
  for (const change of changes) {
    if (change.kind === 'set') tables[change.table].set(change.key, change.value);
    if (change.kind === 'delete') expect(tables[change.table].delete(change.key)).toBe(true);
    if (change.kind === 'attach') places.set(attachmentKey(change.attachment), change.attachment);
    if (change.kind === 'detach') expect(places.delete(attachmentKey(change.attachment))).toBe(true);
    if (change.kind === 'remove-pair') left = left.filter(({ pair }) => pair !== change.pair);
    each({ tables, attachments: places, pairs: left });
  }
  return { tables, attachments: places, pairs: left };
}

describe('planDatapath', () => {
  test('leads from what is found to what is wanted', () => {
    fc.assert(
      fc.property(spec, spec, pairs, (wanted, base, livePairs) => {
        const found = { ...base, pairs: livePairs };
        const { tables, attachments: places } = apply(planDatapath(wanted, found), found);
        expect(tables).toEqual(wanted.tables);
        expect(places).toEqual(wanted.attachments);
      }),
    );
  });

  test('is empty when everything is as wanted', () => {
    fc.assert(fc.property(spec, (wanted) => expect(planDatapath(wanted, { ...wanted, pairs: [] })).toEqual([])));
  });

  test('ends the pairs whose endpoint no longer owns their address, and no other with another node, before anything else', () => {
    fc.assert(
      fc.property(spec, spec, pairs, (wanted, base, livePairs) => {
        const found = { ...base, pairs: livePairs };
        const plan = planDatapath(wanted, found);
        const removals = plan.filter((change) => change.kind === 'remove-pair');
        expect(plan.slice(0, removals.length)).toEqual(removals);
        const kept = apply(plan, found).pairs;
        const ownerOf = (text: string): string | undefined => wanted.tables.sym_owner.get(addressOwnerKey(text));
        const owned = livePairs.filter(({ endpoint, local }) => ownerOf(local) === hex(u32(endpoint)));
        expect(owned).toEqual(expect.arrayContaining([...kept]));
        expect(kept).toEqual(expect.arrayContaining(owned.filter(({ remote }) => ownerOf(remote) === undefined)));
      }),
    );
  });

  const client: Pair = { pair: 1, endpoint: 1, local: address(1), remote: address(2), role: 'client' };
  const server: Pair = { pair: 2, endpoint: 2, local: address(2), remote: address(1), role: 'server' };
  const away: Pair = { pair: 3, endpoint: 2, local: address(2), remote: address(9), role: 'server' };
  test.each<[string, Readonly<Record<number, number>>, readonly Pair[], readonly Pair[]]>([
    ['both workloads are there', { 1: 1, 2: 2 }, [client, server, away], []],
    ['one has the address of the other, who is gone', { 1: 7, 2: 2 }, [client, server, away], [client, server]],
    ['nobody has it', { 2: 2 }, [client, server, away], [client]],
    ['one end of it has been removed already', { 1: 1, 2: 2 }, [server, away], [server]],
    ['the server’s address is another’s', { 1: 1, 2: 7 }, [client, server], [client, server]],
  ])('of a pair within the node, when %s', (_, owner, livePairs, ended) => {
    const none = { sym_endpoints: new Map(), sym_prefixes: new Map(), sym_peers: new Map(), sym_local: new Map(), sym_gates: new Map() };
    const sym_owner = new Map(Object.entries(owner).map(([of, endpoint]) => [addressOwnerKey(address(Number(of))), hex(u32(endpoint))]));
    const tables = { ...none, sym_owner };
    const plan = planDatapath({ tables, attachments: new Map() }, { tables, attachments: new Map(), pairs: livePairs });
    expect(plan).toEqual(ended.map(({ pair, endpoint, local }) => ({ kind: 'remove-pair', pair, endpoint, local })));
  });

  test('gives an endpoint’s row up only after its addresses and its programs, and then its flows', () => {
    fc.assert(
      fc.property(spec, spec, (wanted, base) => {
        const plan = planDatapath(wanted, { ...base, pairs: [] });
        const gone = [...base.tables.sym_endpoints.keys()].filter((key) => !wanted.tables.sym_endpoints.has(key));
        const last = plan.slice(plan.length - 2 * gone.length);
        expect(last.map(({ kind }) => kind)).toEqual([...gone.map(() => 'delete'), ...gone.map(() => 'sweep-endpoint')]);
      }),
    );
  });

  test('takes away the program whose place another one gets, once that one is there', () => {
    const at = (program: string): [string, Attachment] => [`1 ingress ${program}`, { interfaceIndex: 1, direction: 'ingress', program }];
    const tables = {
      sym_endpoints: new Map(),
      sym_owner: new Map(),
      sym_prefixes: new Map(),
      sym_peers: new Map(),
      sym_local: new Map(),
      sym_gates: new Map(),
    };
    const plan = planDatapath({ tables, attachments: new Map([at('up')]) }, { tables, attachments: new Map([at('wl')]), pairs: [] });
    expect(plan.map((change) => [change.kind, 'attachment' in change && change.attachment.program])).toEqual([
      ['attach', 'up'],
      ['detach', 'wl'],
    ]);
  });

  test('never has a program at an interface without the interface’s row', () => {
    const gate = (index: number): [string, string] => [hex(u32(index)), '01'];
    const program = (interfaceIndex: number): [string, Attachment] => [
      `${interfaceIndex} ingress p`,
      { interfaceIndex, direction: 'ingress', program: 'p' },
    ];
    const none = { sym_endpoints: new Map(), sym_owner: new Map(), sym_prefixes: new Map(), sym_peers: new Map(), sym_local: new Map() };
    const found = { tables: { ...none, sym_gates: new Map([gate(1)]) }, attachments: new Map([program(1)]), pairs: [] };
    const wanted = { tables: { ...none, sym_gates: new Map([gate(2)]) }, attachments: new Map([program(2)]) };
    let states = 0;
    apply(planDatapath(wanted, found), found, ({ tables, attachments: places }) => {
      states++;
      for (const { interfaceIndex } of places.values()) expect(tables.sym_gates.has(hex(u32(interfaceIndex)))).toBe(true);
    });
    expect(states).toBe(4);
  });
});
