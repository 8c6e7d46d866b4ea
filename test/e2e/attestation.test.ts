import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseIpAddress } from '#core/network/address';
import type { WorkloadSpec } from '#lab/spec';
import { type Elusive, elusiveCommand } from '../setup/processes.ts';
import { NodeGate } from '../setup/node-gate.ts';
import { startUntilTold } from '../setup/until-told.ts';
import { startWorld, type World } from '../setup/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
}, 120_000);
afterAll(async () => {
  await world?.close();
});

const WEB_TO_PAYMENTS = { from: 'web', to: 'payments', protocol: 'tcp', port: 8443, family: 4, expected: 'passed' } as const;

test('a process that passes through a workload’s namespace as root does not cut its connections', async () => {
  const kept = await world.prober.connect('web', 'payments', 8443);
  for (let i = 0; i < 20; i++) {
    // nsenter is root in the namespace for some milliseconds before it becomes the workload's user.
    await world.lab.execAs('web', ['true']);
    expect((await kept.exchange()).kind).toBe('answered');
  }
}, 60_000);

test('a process of another user that stays takes the identity away; when it is gone the identity comes back', async () => {
  const kept = await world.prober.connect('web', 'payments', 8443);
  const { node } = world.lab.workload('web');
  const gate = new NodeGate(world.lab, node.name);
  const stranger = startUntilTold(world.lab.commandFor({ place: node.name }, ['nsenter', '--net=/run/netns/web', 'cat']));
  try {
    await world.eventually(async () => {
      const { workloads } = await world.agentStatus(node.name);
      if (!workloads.some((w) => w.gate === 'unattested' && w.problem?.includes('matches no identity')))
        throw new Error(JSON.stringify(workloads));
    }, 20_000);
    // It is dropped, not refused: the sender tries again, and may be attested by then.
    const dropped = gate.counted('UNATTESTED');
    expect(await kept.exchange(500)).toMatchObject({ kind: 'silence' });
    await world.eventually(() => expect(gate.counted('UNATTESTED')).toBeGreaterThan(dropped));
  } finally {
    await stranger.end();
  }
  await world.attested(['web']);
  expect(await world.prober.run(WEB_TO_PAYMENTS)).toMatchObject({ seen: 'passed' });
}, 60_000);

const atWeb = async () => (await world.agentStatus('east-1')).workloads.find((w) => w.addresses.includes('10.1.0.10'));

test.each<[string, Elusive]>([
  ['goes on as another one again and again', ['hop', 200]],
  ['does so as fast as it can', ['hop', 0]],
  ['has only threads left', ['leaderless']],
])(
  'a process of another user that %s takes the identity away, and the agent lives on',
  async (_, kind) => {
    const agent = world.lab.agents.pid('east-1');
    const stranger = startUntilTold(world.lab.commandFor({ place: 'east-1' }, elusiveCommand(kind, '/run/netns/web', 2666)));
    try {
      await world.eventually(
        async () => expect(await atWeb()).toMatchObject({ gate: 'unattested', problem: expect.stringMatching(/matches no|faster/) }),
        20_000,
      );
      for (let i = 0; i < 20; i++) {
        expect(await world.prober.run({ ...WEB_TO_PAYMENTS, expected: 'refused', timeoutMs: 100 })).not.toMatchObject({ seen: 'passed' });
        expect(await atWeb()).toMatchObject({ gate: 'unattested' });
      }
    } finally {
      expect(await stranger.end()).toMatchObject({ code: 0 });
    }
    await world.attested(['web']);
    expect(world.lab.agents.pid('east-1')).toBe(agent);
  },
  60_000,
);

test('a workload that starts a short-lived process every other millisecond keeps its identity and its connections', async () => {
  const kept = await world.prober.connect('web', 'payments', 8443);
  const before = await atWeb();
  const loop = world.lab.execAs('web', ['timeout', '8', 'sh', '-c', 'while :; do sleep 0.001; done']);
  for (const end = Date.now() + 7500; Date.now() < end; ) {
    expect(await atWeb()).toEqual(before);
    expect((await kept.exchange()).kind).toBe('answered');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await loop;
}, 60_000);

describe('an identity by cgroup', () => {
  const port = { protocol: 'tcp', port: 8443 } as const;
  const cgroupOf = (name: string): string => world.lab.status().workloads.find((w) => w.name === name)?.cgroup ?? '';
  const stateOf = async (last: string) => (await world.agentStatus('east-1')).workloads.find((w) => w.addresses.includes(`10.1.0.${last}`));

  /** Adds a workload to east-1, whose identity is given to processes of a cgroup, and which may reach payments. */
  async function declareByCgroup(
    name: string,
    uid: number,
    last: string,
    pathFor: (own: string) => string,
    more: string[] = [],
  ): Promise<void> {
    await world.lab.addWorkload('east-1', { name, uid, addresses: [parseIpAddress(`10.1.0.${last}`), parseIpAddress(`fd00:1::${last}`)] });
    await world.declareIdentity(name, { selectors: [`cgroup:path:${pathFor(cgroupOf(name))}`, ...more] });
    await world.declarePolicy({ name: `${name}-to-payments`, from: [name], to: ['payments'], traffic: ['tcp/8443'] });
  }

  test.each<[string, string, number, string, (own: string) => string, string[]]>([
    ['its own', 'grouped', 1088, '88', (own) => own, []],
    ['one above its own, and its user', 'nested', 1089, '89', dirname, ['unix:uid:1089']],
  ])('%s: it is attested, and its traffic passes', async (_, name, uid, last, pathFor, more) => {
    await declareByCgroup(name, uid, last, pathFor, more);
    await world.attested([name]);
    expect(await stateOf(last)).toMatchObject({ identity: world.spiffeId(name), gate: 'all' });
    for (const family of [4, 6] as const) {
      expect(await world.prober.run({ from: name, to: 'payments', ...port, family, expected: 'passed', timeoutMs: 5000 })).toMatchObject({
        seen: 'passed',
      });
    }
  });

  test.each<[string, string, number, string, (own: string) => string]>([
    ['of another workload', 'astray', 1090, '90', () => cgroupOf('payments')],
    ['that begins like its own', 'cutoff', 1091, '91', (own) => own.slice(0, -1)],
    ['below its own', 'below', 1092, '92', (own) => `${own}/deeper`],
  ])('one %s: it has no identity, and is let in nowhere', async (_, name, uid, last, pathFor) => {
    await declareByCgroup(name, uid, last, pathFor);
    await world.eventually(async () => expect(await stateOf(last)).toMatchObject({ gate: 'unmanaged' }), 20_000);
    expect(await stateOf(last)).not.toHaveProperty('identity');
    expect(await world.prober.run({ from: name, to: 'payments', ...port, family: 4, expected: 'refused' })).toMatchObject({
      seen: 'refused',
    });
  });
});

test('a workload that comes while the agent runs is attested by its first packet, and loses none', async () => {
  const late: WorkloadSpec = { name: 'late', uid: 1077, addresses: [parseIpAddress('10.1.0.77'), parseIpAddress('fd00:1::77')] };
  await world.lab.addWorkload('east-1', late);
  await world.declareIdentity('late');
  await world.declarePolicy({ name: 'late-to-payments', from: ['late'], to: ['payments'], traffic: ['tcp/8443', 'udp/5353'] });
  expect(
    await world.prober.run({ from: 'late', to: 'payments', protocol: 'udp', port: 5353, family: 6, expected: 'passed', timeoutMs: 5000 }),
  ).toMatchObject({
    seen: 'passed',
  });
  expect(await world.prober.run({ ...WEB_TO_PAYMENTS, from: 'late' })).toMatchObject({ seen: 'passed' });
}, 60_000);
