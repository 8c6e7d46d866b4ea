import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SYM_SESSION } from '#bpf/gen/layout';
import { u32 } from '../../agent/datapath/rows/keys.ts';
import { tcp, TCP } from '../gate/packets.ts';
import { NodeGate } from '../setup/node-gate.ts';
import { RawPackets } from '../setup/raw-packets.ts';
import { startWorld, type World } from '../setup/world.ts';

const PATIENCE_MS = 10_000;
const RENEWED_TWICE = 2;

let world: World;
beforeAll(async () => {
  world = await startWorld();
}, 60_000);
afterAll(async () => {
  world?.lab.agents.signal('east-3', 'SIGCONT');
  await world?.close();
});

/** CLOCK_BOOTTIME, by which leases end; to a hundredth of a second. */
const bootNs = (): bigint => BigInt(Math.round(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000)) * 1_000_000n;

/** The leases of a node's pairs with payments: by session, when the last of them ends. */
function leasesAt(node: string): ReadonlyMap<number, bigint> {
  const gate = new NodeGate(world.lab, node);
  const sessions = gate.sessionsWith(world.lab.addressOf('payments', 4));
  return new Map(sessions.map((session) => [session, gate.row('sym_sessions', SYM_SESSION, u32(session))?.rx_until ?? 0n]));
}
const lastEnd = (leases: ReadonlyMap<number, bigint>): bigint => [...leases.values()].reduce((last, end) => (end > last ? end : last), 0n);

/** Exchanges once a second, until the instant is past; each must be answered. */
async function goesOnPast(connection: { exchange(ms: number): Promise<{ readonly kind: string }> }, instantNs: bigint): Promise<void> {
  do {
    expect((await connection.exchange(PATIENCE_MS)).kind).toBe('answered');
    await sleep(1000);
  } while (bootNs() <= instantNs);
  expect((await connection.exchange(PATIENCE_MS)).kind).toBe('answered');
}

/** Resets the TCP connection between the agents of east-1 and east-2, as somebody on its path can. */
async function cutNodeSession(): Promise<void> {
  const [one, two] = ['east-1', 'east-2'].map((name) => world.lab.node(name).addresses.find(({ family }) => family === 4)?.text ?? '');
  const ends = { from: one ?? '', to: two ?? '' };
  const raw = new RawPackets(world.lab);
  const router = { place: 'router' };
  // A keepalive of one agent, and nothing after it for half a second.
  const { port, to, sequence, acknowledged } = await raw.lastSegment(router, 'to-east-2', ends.from, ends.to);
  await raw.sendIp(router, [tcp(ends, [port, to], TCP.rst | TCP.ack, Buffer.alloc(0), [sequence, acknowledged])]);
}

test('authority stopped: live pairs are renewed past the ends of their leases and proven again over a new session; one whose agent stands still ends', async () => {
  const connection = await world.prober.connect('web', 'payments', 8443);
  const contrast = await world.prober.connect('reports', 'payments', 8443);
  expect([connection.opened.kind, contrast.opened.kind]).toEqual(['answered', 'answered']);
  await world.lab.authority.kill();
  // Its keepalives are what a lease lives by: without them this one ends, although gate, pair and SVIDs are there.
  world.lab.agents.signal('east-3', 'SIGSTOP');
  const ofContrast = lastEnd(leasesAt('east-3'));
  expect((await contrast.exchange(PATIENCE_MS)).kind).toBe('answered');

  for (let round = 1; round <= RENEWED_TWICE; round++) {
    const before = leasesAt('east-1');
    expect(lastEnd(before)).toBeGreaterThan(bootNs());
    if (round === RENEWED_TWICE) {
      // The pair is proven anew under the old lease: it rests on another session then. A reset that comes beside another segment is not heeded: once more.
      const provenAnew = (): void => {
        const sessions = [...leasesAt('east-1').keys()];
        expect([sessions.length, sessions.some((session) => before.has(session))]).toEqual([1, false]);
      };
      await world.eventually(() => cutNodeSession().then(() => world.eventually(provenAnew, 10_000)), 60_000);
    }
    await goesOnPast(connection, lastEnd(before));
    expect(lastEnd(leasesAt('east-1'))).toBeGreaterThan(lastEnd(before));
  }

  expect(bootNs()).toBeGreaterThan(ofContrast);
  expect((await contrast.exchange(PATIENCE_MS)).kind).not.toBe('answered');
  expect(await contrast.arrived()).toBe(false);
  expect(world.lab.authority.pid).toBeUndefined();
}, 240_000);
