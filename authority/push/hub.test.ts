import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, test } from '@jest/globals';
import { type Clock, systemClock } from '#daemon/clock';
import { silentLogger } from '#daemon/log';
import { type AgentConnection, PushHub } from './hub.ts';
import type { Snapshot } from './snapshot.ts';

let revision: bigint;
let attestations: Map<string, number>;
let reads: number;
let hub: PushHub;
const clock: Clock = systemClock;

beforeEach(() => {
  revision = 1n;
  attestations = new Map([['a', 1]]);
  reads = 0;
  hub = new PushHub(
    async () => {
      reads++;
      const snapshot = { revision, attestations: new Map(attestations) };
      await sleep(5);
      return snapshot as unknown as Snapshot;
    },
    clock,
    silentLogger,
  );
});

const reader = (connection: AgentConnection) => connection.snapshots[Symbol.asyncIterator]();

test('a change during a read is read again', async () => {
  const values = reader(hub.connect('a', 1));
  expect((await values.next()).value).toMatchObject({ revision: 1n });
  const first = hub.changed();
  await sleep(1);
  revision = 2n;
  await Promise.all([first, hub.changed()]);
  let last = 0n;
  while (last < 2n) last = ((await values.next()).value as Snapshot).revision;
  expect(last).toBe(2n);
});

test('a hundred changes at once are few reads', async () => {
  await Promise.all(Array.from({ length: 100 }, () => hub.changed()));
  expect(reads).toBeLessThanOrEqual(2);
});

test('a change right after the last read has ended is not missed', async () => {
  for (let i = 0; i < 50; i++) {
    const before = reads;
    await hub.changed();
    expect(reads).toBeGreaterThan(before);
  }
});

test('a state never goes back', async () => {
  const values = reader(hub.connect('a', 1));
  await values.next();
  revision = 5n;
  await hub.changed();
  expect((await values.next()).value).toMatchObject({ revision: 5n });
  let told: bigint | undefined;
  const next = values.next().then(({ value }) => {
    told = (value as Snapshot).revision;
  });
  revision = 4n;
  await hub.changed();
  await sleep(5);
  expect(told).toBeUndefined();
  revision = 6n;
  await hub.changed();
  await next;
  expect(told).toBe(6n);
});

test('a connection of an attestation that is over ends, and says why', async () => {
  const values = reader(hub.connect('a', 1));
  await values.next();
  attestations.set('a', 2);
  await hub.changed();
  await expect(values.next()).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  expect(hub.connectedAgents).toBe(0);
});

test('one that was over before it connected is told nothing', async () => {
  attestations.clear();
  await expect(reader(hub.connect('a', 1)).next()).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
});

test('a store that cannot be read keeps the connections', async () => {
  let fail = true;
  hub = new PushHub(
    async () => {
      if (fail) throw new Error('disk');
      return { revision, attestations } as unknown as Snapshot;
    },
    clock,
    silentLogger,
  );
  const values = reader(hub.connect('a', 1));
  await hub.changed();
  fail = false;
  await hub.changed();
  expect((await values.next()).value).toMatchObject({ revision: 1n });
});

test('a node that goes while it is waited for is not waited for any longer', async () => {
  const connection = hub.connect('a', 1);
  connection.report({ enforcedRevision: 0n, agentVersion: '', problem: '' });
  const waiting = hub.waitForEnforcement(3n, 5000, new AbortController().signal);
  await sleep(20);
  connection.close();
  expect(await waiting).toEqual({ enforced: true, connectedAgents: 0, laggingNodes: [] });
});

test('a reader that goes stops a wait', async () => {
  hub.connect('a', 1);
  const gone = new AbortController();
  const waiting = hub.waitForEnforcement(3n, 60_000, gone.signal);
  await sleep(20);
  gone.abort();
  expect(await waiting).toMatchObject({ enforced: false, laggingNodes: ['a'] });
});

test('a node that connects again and again is given what has been read, and disturbs nobody', async () => {
  attestations.set('b', 1);
  const other = reader(hub.connect('b', 1));
  await other.next();
  await hub.changed();
  const before = reads;
  for (let i = 0; i < 50; i++) expect((await reader(hub.connect('a', 1)).next()).value).toMatchObject({ revision: 1n });
  expect(reads).toBe(before);
  // The other node hears of the next change, and of nothing before it.
  revision = 2n;
  void hub.changed();
  expect((await other.next()).value).toMatchObject({ revision: 2n });
});

test('a node that has attested since the last read is given what is read then', async () => {
  await hub.changed();
  const before = reads;
  attestations.set('a', 2);
  expect((await reader(hub.connect('a', 2)).next()).value).toMatchObject({ revision: 1n });
  expect(reads).toBe(before + 1);
});

test('a node that connects after a read has failed makes another', async () => {
  let fail = false;
  hub = new PushHub(
    async () => {
      if (fail) throw new Error('disk');
      return { revision, attestations } as unknown as Snapshot;
    },
    clock,
    silentLogger,
  );
  await hub.changed();
  fail = true;
  revision = 2n;
  await hub.changed();
  fail = false;
  expect((await reader(hub.connect('a', 1)).next()).value).toMatchObject({ revision: 2n });
});

test('what a node says of itself is cut where it gets too long', () => {
  const connection = hub.connect('a', 1);
  connection.report({ enforcedRevision: 1n, agentVersion: 'v'.repeat(1_000_000), problem: 'p'.repeat(1_000_000) });
  expect(hub.presence('a')).toMatchObject({ enforcedRevision: 1n, agentVersion: 'v'.repeat(100), problem: 'p'.repeat(2000) });
});
