import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { NodeGate } from '../setup/node-gate.ts';
import { startWorld, type World } from '../setup/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
}, 60_000);
afterAll(async () => {
  await world?.close();
});

const PAUSE_SECONDS = 0.01;
const WEB_TO_PAYMENTS = { from: 'web', to: 'payments', protocol: 'tcp', port: 8443, family: 4, expected: 'passed' } as const;

/** How many of so many pings from web to payments, all of one flow, were answered. A lost one is not sent again. */
async function answered(count: number): Promise<number> {
  const ping = ['ping', '-n', '-q', '-W', '5', '-i', String(PAUSE_SECONDS), '-c', String(count), world.lab.addressOf('payments', 4)];
  const { stdout } = await world.lab.execAs('web', ping, { timeoutMs: 60_000 });
  return Number(/ (\d+) received/.exec(stdout)?.[1]);
}

async function workloadsOf(node: string): Promise<readonly { identity?: string; gate: string; problem?: string }[]> {
  return (await world.agentStatus(node)).workloads;
}

test.each([[['east-2']], [['east-1']], [['east-1', 'east-2']]])(
  'agents that are killed and come back, %j: no packet of a live flow is lost',
  async (nodes) => {
    expect(await world.prober.run(WEB_TO_PAYMENTS)).toMatchObject({ seen: 'passed' });
    const withinTheNode = await world.prober.connect('cache', 'payments', 8443);
    const whole = answered(400);
    await world.lab.agents.kill(nodes);
    await world.lab.agents.up(nodes);
    await world.attested(['web', 'payments']);
    expect((await withinTheNode.exchange()).kind).toBe('answered');
    expect(await whole).toBe(400);
  },
);

test('also while the authority is away: what was proven goes on under its lease, and nothing new begins', async () => {
  expect(await world.prober.run(WEB_TO_PAYMENTS)).toMatchObject({ seen: 'passed' });
  const whole = answered(400);
  await world.lab.authority.kill();
  await world.lab.agents.kill(['east-1', 'east-2']);
  // They run, and are not healthy before the authority has answered.
  await Promise.all(['east-1', 'east-2'].map((node) => expect(world.lab.agents.up([node])).rejects.toThrow('does not run')));
  for (const [node, name] of [
    ['east-1', 'web'],
    ['east-2', 'payments'],
  ] as const)
    await world.eventually(async () => {
      const found = { identity: world.spiffeId(name), gate: 'all', problem: expect.stringContaining('SVID') };
      expect(await workloadsOf(node)).toContainEqual(expect.objectContaining(found));
    }, 20_000);
  // Waits for the SVID, and is refused when nobody waits any more.
  const { seen } = await world.prober.run({ ...WEB_TO_PAYMENTS, from: 'reports', to: 'payments', expected: 'nothing' });
  expect(['nothing', 'refused']).toContain(seen);
  expect(await answered(50)).toBe(50);
  await world.lab.authority.start();
  await world.attested(['web', 'payments']);
  expect(await whole).toBe(400);
  expect(await world.prober.run(WEB_TO_PAYMENTS)).toMatchObject({ seen: 'passed' });
});

test('a workload that got the address of another while the agent was away does not come into its pair within the node', async () => {
  const toPayments = { to: 'payments', protocol: 'tcp', port: 8443, family: 4 } as const;
  await world.attested(['cache', 'payments']);
  expect(await world.prober.run({ ...toPayments, from: 'cache', expected: 'passed' })).toMatchObject({ seen: 'passed' });
  const gate = new NodeGate(world.lab, 'east-2');
  const address = world.lab.addressOf('cache', 4);
  expect(gate.sessionsWith(address)).toHaveLength(1);
  await world.lab.agents.kill(['east-2']);
  await world.lab.replaceWorkload('cache', { name: 'impostor', uid: 1666 });
  await world.lab.agents.up(['east-2']);
  await world.eventually(() => expect(gate.sessionsWith(address)).toEqual([]));
  const workloads = await workloadsOf('east-2');
  expect(workloads).toContainEqual(expect.objectContaining({ interface: 've-impostor', addresses: expect.arrayContaining([address]) }));
});

test('nor into one with another node, however often the agent comes back', async () => {
  await world.attested(['web', 'payments']);
  expect(await world.prober.run(WEB_TO_PAYMENTS)).toMatchObject({ seen: 'passed' });
  const address = world.lab.addressOf('web', 4);
  await world.lab.agents.kill(['east-1']);
  world.prober.forget('web');
  await world.lab.replaceWorkload('web', { name: 'heir', uid: 1667 });
  for (let times = 0; times < 2; times++) {
    await world.lab.agents.up(['east-1']);
    if (times === 0) await world.lab.agents.kill(['east-1']);
  }
  // The other node still takes the address for web's.
  expect(new NodeGate(world.lab, 'east-2').sessionsWith(address)).toHaveLength(1);
  const { seen } = await world.prober.run({ ...WEB_TO_PAYMENTS, from: 'heir', expected: 'nothing' });
  expect(['nothing', 'refused']).toContain(seen);
});
