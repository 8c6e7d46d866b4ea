import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startWorld, type World } from '../setup/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
}, 60_000);
afterAll(async () => {
  await world?.close();
});

const WEB_TO_PAYMENTS = { from: 'web', to: 'payments', protocol: 'tcp', port: 8443, family: 4, expected: 'passed' } as const;

test('kill -9 of both agents: the established connection goes on, before and after their restart', async () => {
  const kept = await world.prober.connect('web', 'payments', 8443);
  expect((await kept.exchange()).kind).toBe('answered');
  await world.lab.agents.kill(['east-1', 'east-2']);
  expect((await kept.exchange()).kind).toBe('answered');
  // Once the heartbeat is missed (3 s) nothing new is held for an agent that is not there: it is refused.
  await new Promise((resolve) => setTimeout(resolve, 3500));
  expect(await world.prober.run({ from: 'web', to: 'reports', protocol: 'tcp', port: 8443, family: 4, expected: 'refused' })).toMatchObject(
    { seen: 'refused' },
  );
  await world.lab.agents.up(['east-1', 'east-2']);
  await world.attested(['web', 'payments']);
  expect((await kept.exchange()).kind).toBe('answered');
  expect(await world.prober.run(WEB_TO_PAYMENTS)).toMatchObject({ seen: 'passed' });
}, 60_000);

test('authority stopped: authenticated pairs go on, new pairs are authenticated', async () => {
  const kept = await world.prober.connect('web', 'payments', 8443);
  await world.lab.authority.kill();
  expect((await kept.exchange()).kind).toBe('answered');
  expect(await world.prober.run(WEB_TO_PAYMENTS)).toMatchObject({ seen: 'passed' });
  expect(
    await world.prober.run({ from: 'reports', to: 'payments', protocol: 'tcp', port: 8443, family: 6, expected: 'passed' }),
  ).toMatchObject({ seen: 'passed' });
  await world.lab.authority.start();
}, 60_000);

test("a workload's address is given to another: nothing is inherited", async () => {
  expect(await world.prober.run(WEB_TO_PAYMENTS)).toMatchObject({ seen: 'passed' });
  world.prober.forget('web');
  await world.lab.replaceWorkload('web', { name: 'impostor', uid: 1666 });
  expect(await world.prober.run({ ...WEB_TO_PAYMENTS, from: 'impostor', expected: 'refused' })).toMatchObject({ seen: 'refused' });
}, 60_000);

test('nor where the other node’s agent is dead and cannot hear of it: until its lease is over the address is nobody’s', async () => {
  await world.lab.replaceWorkload('impostor', { name: 'web', uid: 1001 });
  world.prober.forget('impostor');
  await world.attested(['web']);
  expect(await world.prober.run(WEB_TO_PAYMENTS)).toMatchObject({ seen: 'passed' });
  await world.lab.agents.kill(['east-2']);
  world.prober.forget('web');
  await world.lab.replaceWorkload('web', { name: 'impostor', uid: 1666 });
  for (const protocol of [
    { protocol: 'tcp', port: 8443 },
    { protocol: 'udp', port: 5353 },
  ] as const) {
    const result = await world.prober.run({ from: 'impostor', to: 'payments', family: 4, expected: 'nothing', ...protocol });
    expect(result.seen).not.toBe('passed');
    expect(result.seen).not.toBe('delivered');
  }
  const { workloads } = await world.agentStatus('east-1');
  expect(workloads).toContainEqual(expect.objectContaining({ gate: 'unattested', problem: expect.stringContaining('earlier workload') }));
  await world.lab.agents.up(['east-2']);
}, 60_000);
