import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { certificatesToPem } from '#core/spiffe/pem';
import { TestCa } from '#core/spiffe/testing/ca';
import { instantFromMs } from '#core/time/instant';
import { callUnary } from '#daemon/grpc/call';
import { type CommandResult, runCommand } from '#lab/command';
import { findCheckout } from '#lab/executables';
import { INSIDE } from '#lab/layout';
import type { LabStatus } from '#lab/status';
import { AgentService } from '#proto/gen/spire/server/agent';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { startWorld, type World } from '../setup/world.ts';

const cli = join(findCheckout(), 'dist/symbolon/symbolon.js');
const symbolon = (...args: readonly string[]): Promise<CommandResult> =>
  runCommand([process.execPath, cli, ...args], { timeoutMs: 60_000 });

let world: World;
beforeAll(async () => {
  world = await startWorld();
}, 90_000);
afterAll(async () => {
  await world?.close();
});

const inLab = (...args: readonly string[]): Promise<CommandResult> => symbolon('lab', '--lab', world.lab.id, ...args);

test('lab status --json says what the lab is, for programs', async () => {
  const { stdout, code } = await inLab('status', '--json');
  expect(code).toBe(0);
  const status = JSON.parse(stdout) as LabStatus;
  expect(status.nodes.map((n) => [n.name, n.agent.state])).toEqual([
    ['east-1', 'running'],
    ['east-2', 'running'],
    ['east-3', 'running'],
  ]);
  expect(status.workloads.find((w) => w.name === 'web')).toMatchObject({ node: 'east-1', uid: 1001, hostInterface: 've-web' });
  expect(existsSync(status.authority.adminSocket)).toBe(true);
  expect(existsSync(status.nodes[0]?.workloadSocket ?? '')).toBe(true);
});

test('a reader that has read enough ends a command without complaint', async () => {
  const script = `{ "$@"; echo "ended with $?" >&2; } | true`;
  const afterTheReader = ['sh', '-c', 'trap "" PIPE; while echo 2>/dev/null; do :; done; exec "$@"', 'sh', process.execPath, cli, '--help'];
  expect(await runCommand(['sh', '-c', script, 'sh', ...afterTheReader])).toEqual({ code: 0, stdout: '', stderr: 'ended with 0\n' });
});

test.each([
  [['east-1', '--workload', 'web', '--', 'sh', '-c', 'id -u; exit 7'], 7, '1001\n'],
  [['east-2', '--', 'hostname'], 0, 'east-2\n'],
  [['operator', '--', 'sh', '-c', 'ip -o -4 address show eth0 | grep -o "192[0-9.]*"'], 0, '192.0.2.2\n'],
])('lab exec %j passes the exit code %i through', async (args, code, stdout) => {
  expect(await inLab('exec', ...args)).toMatchObject({ code, stdout });
});

test('agents go down and come up again without a second token', async () => {
  expect((await inLab('agents', 'down', 'east-3')).code).toBe(0);
  expect(world.lab.status().nodes.map((n) => n.agent.state)).toEqual(['running', 'running', 'absent']);
  const behind = await symbolon('status', '--admin-socket', world.lab.authority.adminSocket);
  expect([behind.code, behind.stdout]).toEqual([1, expect.stringContaining('not connected')]);
  expect(await inLab('agents', 'up', 'east-3')).toMatchObject({ code: 0, stdout: 'agents running: east-3\n' });
  expect(await inLab('agents', 'up', 'nowhere')).toMatchObject({ code: 1, stderr: expect.stringContaining('no node nowhere') });
}, 60_000);

test('status counts the agents that enforce the newest revision; of a node, it names what passes without proof', async () => {
  const { stdout, code } = await world.eventually(async () => {
    const result = await symbolon('status', '--admin-socket', world.lab.authority.adminSocket);
    expect(result.code).toBe(0);
    return result;
  });
  expect(code).toBe(0);
  expect(stdout.match(/enforces it/g)).toHaveLength(3);
  const node = await symbolon('status', '--run', join(world.lab.layout.placeRun('east-1'), 'symbolon'));
  expect(node.stdout).toContain('spiffe://east.example/web');
  expect(node.stdout).toContain('passes without proof:');
});

const EXPLAINED: readonly (readonly [source: string, destination: string, code: number, says: string])[] = [
  ['web', 'payments:8443', 0, 'allowed by policy web-to-payments'],
  ['web', 'payments/icmp', 0, 'allowed by policy web-to-payments'],
  ['web', 'payments:9999', 1, 'missing  a policy in east.example that allows tcp/9999'],
  ['batch', 'payments:8443', 1, 'no policy allows it'],
  ['stranger', 'payments:8443', 1, 'missing  an identity for spiffe://east.example/stranger'],
  ['10.2.0.66', '10.3.0.66:80', 0, 'passes without proof'],
];
test('explain of names that nothing declares is no answer', async () => {
  const result = await symbolon('explain', 'wbe', 'paymnts:80', '--admin-socket', world.lab.authority.adminSocket);
  expect(result).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('nothing declares spiffe://east.example/wbe') });
});
test.each(EXPLAINED)('explain %s %s: exit code %i', async (source, destination, code, says) => {
  const result = await symbolon('explain', source, destination, '--admin-socket', world.lab.authority.adminSocket);
  expect([result.code, result.stdout]).toEqual([code, expect.stringContaining(says)]);
});

test('over mTLS: a reader may ask; the server must be the wanted authority, and the certificate its own domain’s', async () => {
  const folder = join(world.lab.layout.placeFolder('operator'), 'reader');
  const svid = ['--out', folder, '--read-only', '--admin-socket', world.lab.authority.adminSocket];
  expect(await symbolon('authority', 'admin-svid', ...svid)).toMatchObject({ code: 0 });
  const explain = async (...change: readonly string[]): Promise<CommandResult> => {
    const files = ['--cert', join(folder, 'svid.pem'), '--key', join(folder, 'key.pem'), '--bundle', join(folder, 'bundle.pem')];
    const flags = ['--authority', world.lab.status().authority.apiAddress, '--trust-domain', 'east.example', ...files, ...change];
    return await world.lab.exec({ place: 'operator' }, [process.execPath, cli, 'explain', 'web', 'payments:8443', ...flags]);
  };
  expect(await explain()).toMatchObject({ code: 0, stdout: expect.stringContaining('allowed by policy web-to-payments') });
  const elsewhere = await explain('--trust-domain', 'west.example');
  expect([elsewhere.code, elsewhere.stdout]).toEqual([1, '']);
  expect(elsewhere.stderr).toContain('cert is that of spiffe://east.example/symbolon/reader/admin; the authority of west.example expects');
  // A reader of west.example who is led to the authority of east.example does not take it for his own.
  const ca = await TestCa.create('west.example');
  const validity = { notBefore: instantFromMs(Date.now() - 60_000), notAfter: instantFromMs(Date.now() + 600_000) };
  const west = await ca.issue('/symbolon/reader/west', validity);
  const file = (name: string, text: string | Buffer): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const westFiles = [
    '--cert',
    file('west.pem', certificatesToPem(west.chain)),
    '--key',
    file('west-key.pem', west.privateKey.export({ format: 'pem', type: 'pkcs8' })),
    '--bundle',
    file('west-bundle.pem', certificatesToPem([ca.der])),
  ];
  const misled = await explain('--trust-domain', 'west.example', ...westFiles);
  expect([misled.code, misled.stdout]).toEqual([1, '']);
  expect(misled.stderr).toContain('no bundle of the trust domain east.example');
  const nobody = await explain('--authority', '192.0.2.1:9');
  expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringMatching(/cannot be reached at 192\.0\.2\.1:9 \(.*ECONNREFUSED/)]);
}, 20_000);

test('agents that come up without the authority: what they wait for is said at once, and their log is named', async () => {
  const log = world.lab.agents.logFile('east-1');
  await world.lab.agents.down(['east-1']);
  await world.lab.authority.kill();
  const failed = async (): Promise<string> => {
    const { code, stderr } = await inLab('agents', 'up', 'east-1');
    expect(code).toBe(1);
    return stderr;
  };
  const known = await failed();
  expect(known).toContain("symbolon: the agent of east-1 runs, but is not healthy: this lab's authority does not run (");
  expect(known).toMatch(/\((?:.* reached nobody: connect ECONNREFUSED .*|the authority has not answered it yet)\); its log/);
  expect(known.trimEnd().endsWith(`; its log is ${log}`)).toBe(true);
  expect(known.split('\n')).toHaveLength(2);
  await world.lab.agents.down(['east-1']);
  expect(await world.lab.exec({ place: 'east-1' }, ['rm', '-r', INSIDE.agentData])).toMatchObject({ code: 0 });
  expect(await failed()).toBe(`symbolon: the agent of east-1 cannot join: this lab's authority does not run; its log is ${log}\n`);
  await world.lab.authority.start();
  expect(await inLab('agents', 'up', 'east-1')).toMatchObject({ code: 0 });
}, 120_000);

describe('explain says what keeps agents from proving a pair', () => {
  const explain = async (source: string, destination: string, ...flags: readonly string[]): Promise<CommandResult> =>
    await symbolon('explain', source, destination, '--admin-socket', world.lab.authority.adminSocket, ...flags);
  const setEndpoints = async (endpoints: readonly string[]): Promise<readonly string[]> =>
    await world.lab.authority.call(async (client) => {
      const node = await callUnary(client, ControlService.getNode, { id: '', name: 'east-2' });
      await callUnary(client, ControlService.updateNode, { node: { ...node, endpoints: [...endpoints] }, expectedGeneration: undefined });
      return node.endpoints;
    });

  test('a node without an endpoint: between two nodes, in either direction, not within one', async () => {
    // Agents that have lost the authority come back to it by themselves.
    await world.eventually(async () => expect(await explain('web', 'payments:8443')).toMatchObject({ code: 0 }), 30_000);
    const before = await setEndpoints([]);
    const refused = await explain('web', 'payments:8443');
    expect([refused.code, refused.stdout]).toEqual([
      1,
      expect.stringContaining('the policies allow it, but the two cannot prove themselves'),
    ]);
    expect(refused.stdout).toContain('allowed by policy web-to-payments');
    expect(refused.stdout).toContain('missing  an endpoint of spiffe://east.example/symbolon/node/east-2');
    expect(JSON.parse((await explain('payments', 'web:1', '--json')).stdout)).toMatchObject({
      verdict: 'refused',
      authenticates: false,
      obstacles: [{ node: 'spiffe://east.example/symbolon/node/east-2', reason: 'no-endpoint', until: 'changed' }],
    });
    expect(await explain('cache', 'payments:8443')).toMatchObject({ code: 0 });
    await setEndpoints(before);
    expect(await explain('web', 'payments:8443')).toMatchObject({ code: 0 });
  });

  test('an agent that is not connected, then a node that is banned; status names it as banned', async () => {
    await world.lab.agents.down(['east-3']);
    await world.eventually(async () => {
      const waits = await explain('reports', 'payments:8443');
      expect([waits.code, waits.stdout]).toEqual([1, expect.stringContaining('allowed, but new pairs wait: an agent is not connected')]);
      expect(waits.stdout).toContain('missing  the agent of spiffe://east.example/symbolon/node/east-3');
    }, 20_000);
    const id = { trustDomain: 'east.example', path: '/symbolon/node/east-3' };
    await world.lab.authority.call((client) => callUnary(client, AgentService.banAgent, { id }));
    const banned = await explain('reports', 'payments:8443');
    expect([banned.code, banned.stdout]).toEqual([1, expect.stringContaining('it is banned')]);
    const status = await symbolon('status', '--admin-socket', world.lab.authority.adminSocket);
    expect([status.code, status.stdout]).toEqual([1, expect.stringMatching(/east-3 .* banned /)]);
  });
});
