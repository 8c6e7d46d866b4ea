import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AGENT_PORT } from '#lab/executables';
import { INSIDE } from '#lab/layout';
import { GARBAGE } from '../setup/garbage.ts';
import { NodeGate } from '../setup/node-gate.ts';
import { startWorld, QUICKSTART_POLICIES, type World } from '../setup/world.ts';

const BULK_PORT = 8444;
const BULK_BYTES = 4_000_000;

/** For node: gives everybody who has ended its own so many bytes. */
const BULK_SERVER = `
const [port, bytes] = process.argv.slice(1).map(Number);
require('node:net')
  .createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined).on('end', () => socket.end(Buffer.alloc(bytes, 'x'))).resume();
  })
  .listen(port, '::', () => console.log('ready'));
setTimeout(() => process.exit(), 120000);
`;

/** For node: sends so many bytes to a server of the above, and says how many came back. */
const BULK_CLIENT = `
const [host, port, bytes] = process.argv.slice(1);
const socket = require('node:net').connect({ host, port: Number(port), allowHalfOpen: true });
let got = 0;
socket.on('data', (chunk) => (got += chunk.length)).on('end', () => console.log(got));
socket.end(Buffer.alloc(Number(bytes), 'y'));
`;

let world: World;
beforeAll(async () => {
  const bulk = { name: 'bulk', from: ['web'], to: ['payments'], traffic: [`tcp/${BULK_PORT}`] };
  world = await startWorld({ policies: [...QUICKSTART_POLICIES, bulk] });
}, 90_000);
afterAll(async () => {
  await world?.close();
});

async function passes(family: 4 | 6 = 4): Promise<void> {
  const row = { from: 'web', to: 'payments', protocol: 'tcp', port: 8443, family, expected: 'passed', timeoutMs: 5000 } as const;
  expect(await world.prober.run(row)).toMatchObject({ seen: 'passed' });
}

describe('a link with a smaller MTU on the way', () => {
  let server: Promise<unknown>;
  beforeAll(async () => {
    server = world.lab.execAs('payments', [INSIDE.node, '-e', BULK_SERVER, String(BULK_PORT), String(BULK_BYTES)], { timeoutMs: 150_000 });
    void server.catch(() => undefined);
  });
  const bulk = async (family: 4 | 6): Promise<string> => {
    const args = [world.lab.addressOf('payments', family), String(BULK_PORT), String(BULK_BYTES)];
    const { stdout, stderr } = await world.lab.execAs('web', [INSIDE.node, '-e', BULK_CLIENT, ...args], { timeoutMs: 30_000 });
    return stdout.trim() || stderr;
  };

  // The router tells the workload on the other side, the node of that link its own.
  test.each([
    [4, 'east-1'],
    [4, 'east-2'],
    [6, 'east-1'],
    [6, 'east-2'],
  ] as const)(
    'lets bulk pass both ways over a live pair: both ends learn of it (IPv%i, at %s)',
    async (family, node) => {
      await passes(family);
      await world.eventually(async () => expect(await bulk(family)).toBe(String(BULK_BYTES)), 10_000);
      const gates = ['east-1', 'east-2'].map((name) => new NodeGate(world.lab, name));
      const told = () => gates.map((gate) => gate.counted('PASSED_OTHER'));
      const before = told();
      await world.lab.setMtu(node, 1300);
      try {
        expect(await bulk(family)).toBe(String(BULK_BYTES));
        // Errors that quote a live flow have passed the gates to both workloads.
        told().forEach((count, i) => expect(count).toBeGreaterThan(before[i] ?? 0));
      } finally {
        await world.lab.setMtu(node, 1500);
        for (const workload of ['web', 'payments']) {
          const { node: place } = world.lab.workload(workload);
          const flush = ['ip', `-${family}`, '-n', workload, 'route', 'flush', 'cache'];
          await world.lab.exec({ place: place.name }, flush);
        }
      }
    },
    60_000,
  );
});

describe('veths that come and go in hundreds', () => {
  const COUNT = 200;
  const ROUNDS = 3;
  const names = Array.from({ length: COUNT }, (_, i) => `ve-swarm${i}`);
  const batch = async (lines: readonly string[]): Promise<void> => {
    const { code, stderr } = await world.lab.exec({ place: 'east-1' }, ['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` });
    expect([code, stderr]).toEqual([0, '']);
  };
  const known = async (): Promise<number> => (await world.agentStatus('east-1')).workloads.length;

  test('are all gated, and leave nothing behind', async () => {
    const gate = new NodeGate(world.lab, 'east-1');
    const rows = () => [gate.count('sym_owner'), gate.count('sym_endpoints'), gate.count('sym_gates'), gate.links().length];
    const [workloads, before] = [await known(), rows()];
    const memory: number[] = [];
    await world.lab.exec({ place: 'east-1' }, ['ip', 'netns', 'add', 'swarm']);
    for (let round = 0; round < ROUNDS; round++) {
      await batch(names.flatMap((name, i) => [`link add ${name} type veth peer name p${i} netns swarm`, `link set ${name} up`]));
      await world.eventually(async () => expect(await known()).toBe(workloads + COUNT), 30_000);
      expect(gate.count('sym_endpoints')).toBe((before[1] ?? 0) + COUNT);
      await passes();
      await batch(names.map((name) => `link del ${name}`));
      await world.eventually(async () => {
        expect(await known()).toBe(workloads);
        expect(rows()).toEqual(before);
      }, 30_000);
      memory.push(gate.agentRssMiB());
    }
    await world.lab.exec({ place: 'east-1' }, ['ip', 'netns', 'del', 'swarm']);
    await passes();
    // Of 600 that were there: a kilobyte kept of each would not be seen, a tenth of a megabyte would.
    expect((memory.at(-1) ?? 0) - (memory[0] ?? 0)).toBeLessThan(60);
  }, 120_000);
});

describe('input that makes no sense', () => {
  const agentOf = () => world.lab.agents.pid('east-2');
  const sayTo = async (place: string, to: readonly string[], as?: string): Promise<void> => {
    const argv = [as ? INSIDE.node : process.execPath, '-e', GARBAGE, ...to];
    const run = as ? world.lab.execAs(as, argv) : world.lab.exec({ place }, argv);
    expect(await run).toMatchObject({ code: 0, stdout: 'survived\n', stderr: '' });
  };

  test("at an agent's port, from another node: the agent lives on", async () => {
    const pid = agentOf();
    await sayTo('east-3', ['198.51.100.2', String(AGENT_PORT)]);
    expect(agentOf()).toBe(pid);
    expect((await world.lab.agents.fetch('east-2', '/healthz')).code).toBe(200);
    await passes(6);
  }, 60_000);

  test('at the Workload API, from a workload: the agent lives on', async () => {
    const pid = agentOf();
    await sayTo('east-2', [INSIDE.workloadSocket], 'payments');
    expect(agentOf()).toBe(pid);
    expect((await world.lab.agents.fetch('east-2', '/healthz')).code).toBe(200);
    await passes(4);
  }, 60_000);

  test("at the authority's port and its admin socket: the authority lives on", async () => {
    const { pid } = world.lab.authority;
    const [host = '', port = ''] = world.lab.status().authority.apiAddress.split(':');
    await sayTo('operator', [host, port]);
    await sayTo('authority', [INSIDE.adminSocket]);
    expect(world.lab.authority.pid).toBe(pid);
    await world.declarePolicy({ name: 'after-garbage', from: ['web'], to: ['reports'], traffic: ['tcp/8443'] });
    const row = { from: 'web', to: 'reports', protocol: 'tcp', port: 8443, family: 4, expected: 'passed', timeoutMs: 5000 } as const;
    expect(await world.prober.run(row)).toMatchObject({ seen: 'passed' });
  }, 60_000);
});
