import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { type Clock, systemClock } from '#daemon/clock';
import type { AgentConnection, AgentReport } from './hub.ts';
import { readReports } from './read-reports.ts';

async function* flood(count: number): AsyncGenerator<AgentReport> {
  for (let i = 1; i <= count; i++) yield { enforcedRevision: BigInt(i), agentVersion: '', problem: '' };
}

/** Revisions that were reported, until the connection was closed. */
function connection(): AgentConnection & { readonly seen: bigint[]; isClosed: boolean } {
  const made = {
    seen: [] as bigint[],
    isClosed: false,
    snapshots: (async function* () {})(),
    report: ({ enforcedRevision }: AgentReport) => void made.seen.push(enforcedRevision),
    close: () => void (made.isClosed = true),
  };
  return made;
}

test('reports are taken one at a time, and none before its time', async () => {
  const waits: (() => void)[] = [];
  const clock: Clock = { ...systemClock, after: (_ms, run) => (waits.push(run), { cancel: () => undefined }) };
  const to = connection();
  const done = readReports(flood(3), to, clock);
  for (const seen of [[1n], [1n, 2n], [1n, 2n, 3n]]) {
    await sleep(5);
    expect(to.seen).toEqual(seen);
    waits.shift()?.();
  }
  await done;
  expect(to.isClosed).toBe(true);
});

test('without the wait, a flood would be taken at once', async () => {
  const impatient: Clock = { ...systemClock, after: (_ms, run) => (run(), { cancel: () => undefined }) };
  const to = connection();
  const done = readReports(flood(1000), to, impatient);
  await sleep(5);
  await done;
  expect(to.seen).toHaveLength(1000);
});

test('a stream that breaks closes the connection', async () => {
  const to = connection();
  // oxlint-disable-next-line require-yield
  const broken = (async function* (): AsyncGenerator<AgentReport> {
    throw new Error('reset');
  })();
  await expect(readReports(broken, to, systemClock)).rejects.toThrow('reset');
  expect(to.isClosed).toBe(true);
});
