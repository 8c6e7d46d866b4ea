import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { agentCommand, findCheckout } from '#lab/executables';
import { INSIDE } from '#lab/layout';
import { UPLINK } from '#lab/names';
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

/** The links by which the gate's programs hold on to the uplink, with numbers that change when one is taken off and put back. */
async function uplinkGates(node: string): Promise<readonly string[]> {
  const { stdout } = await world.lab.exec({ place: node }, ['cat', `/sys/class/net/${UPLINK}/ifindex`]);
  const links = join(`/proc/${world.lab.place(node).pid}/root`, INSIDE.bpffs, 'links');
  return readdirSync(links)
    .filter((name) => name.startsWith(`${stdout.trim()}_`))
    .map((name) => `${name} ${statSync(join(links, name)).ino}`)
    .toSorted();
}

/** Starts an agent that is to find its uplinks itself. Returns what kills it. */
async function startWithoutUplink(node: string): Promise<() => Promise<void>> {
  const bare = agentCommand(findCheckout(), world.lab.spec, []);
  const [file = '', ...args] = world.lab.commandFor({ place: node }, ['sh', '-c', 'echo $$; exec "$@" >/dev/null 2>&1', 'sh', ...bare]);
  const agent = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  // Listened for from here on: it may end before the command that kills it has.
  const ended = once(agent, 'exit');
  const pid = await new Promise<string>((resolve) => createInterface({ input: agent.stdout }).once('line', resolve));
  return async () => {
    expect((await world.lab.exec({ place: node }, ['kill', '-9', pid])).code).toBe(0);
    await ended;
  };
}

test('an uplink without a default route keeps its gate while the agent starts again, also before it has a view', async () => {
  const halves = (family: string, destinations: readonly string[], gateway: string): string =>
    [
      ...destinations.map((to) => `ip ${family} route add ${to} via ${gateway} dev ${UPLINK} onlink`),
      `ip ${family} route del default`,
    ].join('; ');
  const script = `${halves('-4', ['0.0.0.0/1', '128.0.0.0/1'], '169.254.1.1')}; ${halves('-6', ['::/1', '8000::/1'], 'fe80::1')}`;
  expect((await world.lab.exec({ place: 'east-1' }, ['sh', '-ec', script])).code).toBe(0);
  const before = await uplinkGates('east-1');
  expect(before).toEqual([expect.stringContaining('_sym_up_out'), expect.stringContaining('_sym_up_in')]);
  await world.lab.agents.kill(['east-1']);
  for (const lose of [[], ['state.pb']]) {
    for (const name of lose) expect((await world.lab.exec({ place: 'east-1' }, ['rm', join(INSIDE.agentData, name)])).code).toBe(0);
    rmSync(world.lab.agents.statusSocket('east-1'), { force: true });
    const kill = await startWithoutUplink('east-1');
    await world.eventually(() => world.attested(['web']), 15_000);
    expect(await uplinkGates('east-1')).toEqual(before);
    await kill();
  }
  await world.lab.agents.up(['east-1']);
  await world.attested(['web']);
  expect(await world.prober.run(WEB_TO_PAYMENTS)).toMatchObject({ seen: 'passed' });
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
