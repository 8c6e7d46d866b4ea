import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { INSIDE } from '#lab/layout';
import { DeafConnection } from '../setup/deaf-connection.ts';
import { NodeGate } from '../setup/node-gate.ts';
import { QUICKSTART_POLICIES, startWorld, type World } from '../setup/world.ts';

let world: World;
const deaf: DeafConnection[] = [];
beforeAll(async () => {
  world = await startWorld();
}, 60_000);
afterAll(async () => {
  for (const connection of deaf) connection.close();
  await world?.close();
});

/** What the gate tells a client whose connection it has cut, and one that it does not let in. */
const RESET = { kind: 'error', code: 'ECONNRESET' };
const REFUSED = { seen: 'refused', code: 'ECONNREFUSED' };
const PATIENCE_MS = 10_000;
/** An echo would have come back by then. */
const SILENCE_SECONDS = 0.5;

const reportsPolicy = QUICKSTART_POLICIES.find((policy) => policy.name === 'reports-to-payments');

/** A connection of `from` to payments whose socket outlives every reset, and the counters of the gate that it sends through. */
async function openDeaf(from: string): Promise<{ readonly connection: DeafConnection; readonly counted: () => number }> {
  const connection = await DeafConnection.open(world.lab, from, world.lab.addressOf('payments', 4), 8443);
  deaf.push(connection);
  const gate = new NodeGate(world.lab, world.lab.workload(from).node.name);
  return { connection, counted: () => gate.counted('DEAD_FLOW') };
}
const arrivedAtPayments = (text: string): boolean =>
  world.prober.probeOf('payments').arrivals.some((arrival) => arrival.text.includes(text));

test('removing a policy cuts an established connection; restoring it lets new ones in, while the old one stays dead', async () => {
  const old = await world.prober.connect('reports', 'payments', 8443);
  expect(old.opened.kind).toBe('answered');
  expect((await old.exchange()).kind).toBe('answered');
  const { connection, counted } = await openDeaf('reports');
  expect(await connection.exchange('before', PATIENCE_MS / 1000)).toEqual({ said: 'answered', established: true });

  await world.enforced(await world.removePolicy('reports-to-payments'));
  expect(await old.exchange(PATIENCE_MS)).toMatchObject(RESET);
  const cut = counted();
  // It does not hear that it is cut, and sends on: there is something that could come back to life.
  expect(await connection.exchange('during', SILENCE_SECONDS)).toEqual({ said: 'silence', established: true });
  await world.eventually(() => expect(counted()).toBeGreaterThan(cut));
  const row = { from: 'reports', to: 'payments', protocol: 'tcp', port: 8443, family: 4, timeoutMs: PATIENCE_MS } as const;
  expect(await world.prober.run({ ...row, expected: 'refused' })).toMatchObject(REFUSED);

  if (reportsPolicy) await world.declarePolicy(reportsPolicy);
  expect(await world.prober.run({ ...row, expected: 'passed' })).toMatchObject({ seen: 'passed' });
  const restored = counted();
  expect(await connection.exchange('after', SILENCE_SECONDS)).toEqual({ said: 'silence', established: true });
  await world.eventually(() => expect(counted()).toBeGreaterThan(restored), 20_000);
  expect([arrivedAtPayments('before'), arrivedAtPayments('during'), arrivedAtPayments('after')]).toEqual([true, false, false]);
}, 60_000);

test('a same-node connection is cut as well', async () => {
  const kept = await world.prober.connect('cache', 'payments', 8443);
  expect((await kept.exchange()).kind).toBe('answered');
  const { connection, counted } = await openDeaf('cache');
  expect(await connection.exchange('near', PATIENCE_MS / 1000)).toEqual({ said: 'answered', established: true });
  await world.enforced(await world.removePolicy('cache-to-payments'));
  expect(await kept.exchange(PATIENCE_MS)).toMatchObject(RESET);
  const cut = counted();
  expect(await connection.exchange('gone', SILENCE_SECONDS)).toEqual({ said: 'silence', established: true });
  await world.eventually(() => expect(counted()).toBeGreaterThan(cut));
  expect(arrivedAtPayments('gone')).toBe(false);
}, 60_000);

test('removing a policy cuts also where the agent cannot write its files', async () => {
  const open = await world.prober.connect('web', 'payments', 8443);
  expect((await open.exchange()).kind).toBe('answered');
  for (const node of ['east-1', 'east-2']) {
    const spoil = ['sh', '-ec', `cd ${INSIDE.agentData}; rm endpoints.json; mkdir endpoints.json`];
    expect((await world.lab.exec({ place: node }, spoil)).code).toBe(0);
  }
  await world.enforced(await world.removePolicy('web-to-payments'));
  // An acknowledgement that was still to come may have met the gate, and its reset the socket, before anything more is sent.
  const cut = { kind: 'error', code: expect.stringMatching(/^(ECONNRESET|closed before)$/) };
  expect(await open.exchange(PATIENCE_MS)).toMatchObject(cut);
  const { problems } = JSON.parse((await world.lab.agents.fetch('east-1', '/status')).body) as { problems: string[] };
  expect(problems).toContainEqual(expect.stringContaining('cannot be stored'));
});
