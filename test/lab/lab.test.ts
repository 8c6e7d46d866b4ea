import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildSync } from 'esbuild';
import { parseIpAddress } from '#core/network/address';
import { mustRun } from '#lab/command';
import { findCgroupRoot } from '#lab/cgroup';
import { findCheckout } from '#lab/executables';
import { type Lab, startLab } from '#lab/lab';
import { layoutOf } from '#lab/layout';
import { identifyProcess } from '#lab/process-identity';
import { Prober, type ProbeRow } from '#lab/probe';
import { parseLabFile } from '#lab/spec-file';
import { sweepLabs } from '#lab/sweep';
import { findLabs } from '#lab/state';

const SPEC_TEXT = `
trustDomain: lab.example
nodes:
  a:
    addresses: [198.51.100.1, '2001:db8:51::1']
    prefixes: [10.1.0.0/24, 'fd00:1::/64']
    workloads:
      one: { uid: 1001, addresses: [10.1.0.10, 'fd00:1::10'] }
      two: { uid: 1002, addresses: [10.1.0.11, 'fd00:1::11'] }
  b:
    addresses: [198.51.100.2, '2001:db8:51::2']
    prefixes: [10.2.0.0/24, 'fd00:2::/64']
    workloads:
      three: { uid: 1003, addresses: [10.2.0.10, 'fd00:2::10'] }
`;
const SPEC = parseLabFile(SPEC_TEXT);
const checkout = findCheckout();

/** What the machine itself looks like: a lab must not change it. Without what runs out by itself, and without namespaces of other tests on the machine. */
async function rootNetwork(): Promise<readonly string[]> {
  const text = await mustRun('looking at the root namespace', [
    'sh',
    '-c',
    'ip -o address; ip route; ip -6 route; ip -o link | wc -l; ls /run/netns',
  ]);
  return text
    .split('\n')
    .map((line) => line.replaceAll(/ (valid_lft|preferred_lft|expires) \w+/g, ''))
    .filter((line) => !/^sy[dg]\d+[a-z]?$/.test(line));
}

const traces = (id: string): readonly string[] => {
  const layout = layoutOf(id, findCgroupRoot());
  return [layout.runFolder, layout.cgroup].filter((path) => existsSync(path));
};

describe('a lab without a gate', () => {
  let before: readonly string[];
  let lab: Lab;
  let prober: Prober;

  beforeAll(async () => {
    before = await rootNetwork();
    lab = await startLab(SPEC, { authority: false });
    prober = new Prober(lab);
  });
  afterAll(async () => {
    prober.close();
    await lab.down();
    expect(traces(lab.id)).toEqual([]);
  });

  test('puts nothing into the root namespace', async () => {
    expect(await rootNetwork()).toEqual(before);
  });

  test('runs a command as the workload: its user, its cgroup, its network, no rights, its socket’s address', async () => {
    const { stdout, code } = await lab.execAs('one', [
      'sh',
      '-c',
      'id -u; id -G; grep ^0: /proc/self/cgroup; ip -o -4 address show eth0; grep CapEff /proc/self/status; grep NoNewPrivs /proc/self/status; echo $SPIFFE_ENDPOINT_SOCKET; hostname',
    ]);
    expect(code).toBe(0);
    const [uid, groups, cgroup, address, rights, noNewRights, socket, host] = stdout.split('\n');
    expect([uid, groups]).toEqual(['1001', '1001']);
    expect(cgroup).toBe(`0::/symbolon-lab-${lab.id}/a/one`);
    expect(address).toContain('10.1.0.10/32');
    expect(rights).toMatch(/\t0+$/);
    expect(noNewRights).toMatch(/\t1$/);
    expect(socket).toBe('unix:///run/symbolon/workload.sock');
    expect(host).toBe('a');
  });

  test('has somebody in every workload from the start, visible on its node only', async () => {
    const pids = (
      await lab.exec({ place: 'a' }, ['sh', '-c', `cd /sys/fs/cgroup/symbolon-lab-${lab.id}; cat a/one/cgroup.procs b/three/cgroup.procs`])
    ).stdout
      .split('\n')
      .filter(Boolean);
    expect(pids).toHaveLength(2);
    expect(Number(pids[0])).toBeGreaterThan(1);
    expect(pids[1]).toBe('0'); // a process of another node has no number here
  });

  test('passes exit code, input and errors through', async () => {
    expect(await lab.execAs('one', ['sh', '-c', 'cat; echo bad >&2; exit 7'], { input: 'in' })).toEqual({
      code: 7,
      stdout: 'in',
      stderr: 'bad\n',
    });
    await expect(lab.exec({ place: 'a', workload: 'three' }, ['true'])).rejects.toMatchObject({
      code: 'LAB_FAILED',
      message: 'three runs on b, not on a',
    });
    await expect(lab.exec({ place: 'z' }, ['true'])).rejects.toMatchObject({ message: expect.stringContaining('the lab has no node z') });
  });

  test('a command that does not end is killed with all that it started', async () => {
    const result = await lab.execAs('one', ['sh', '-c', 'sleep 1234 & sleep 1234'], { timeoutMs: 300 });
    expect(result.code).toBe(124);
    expect((await lab.exec({ place: 'a' }, ['sh', '-c', 'ps ax | grep -c "[s]leep 1234"'])).stdout.trim()).toBe('0');
  });

  test('a node has a file system, a /run and a bpffs of its own', async () => {
    await lab.exec({ place: 'a' }, ['sh', '-c', 'echo a >/etc/lab-was-here; mkdir /run/symbolon/x /sys/fs/bpf/x']);
    const look = ['sh', '-c', 'ls /etc/lab-was-here /run/symbolon/x /sys/fs/bpf/x 2>/dev/null | wc -l'];
    expect((await lab.exec({ place: 'b' }, look)).stdout.trim()).toBe('0');
    expect(existsSync('/etc/lab-was-here')).toBe(false);
    expect(readdirSync(join(lab.layout.placeRun('a'), 'symbolon'))).toContain('x'); // the outside reaches its sockets
  });

  const WAYS: readonly (readonly [from: string, to: string])[] = [
    ['one', 'three'],
    ['three', 'one'],
    ['one', 'two'],
  ];
  const ROWS: readonly ProbeRow[] = WAYS.flatMap(([from, to]) =>
    ([4, 6] as const).flatMap((family): readonly ProbeRow[] => [
      { from, to, family, protocol: 'tcp', port: 8443, expected: 'passed' },
      { from, to, family, protocol: 'udp', port: 5353, expected: 'passed' },
      { from, to, family, protocol: 'echo', expected: 'passed' },
    ]),
  );
  test.each(ROWS)('routes $from > $to, $protocol over IPv$family', async (row) => {
    expect(await prober.run(row)).toMatchObject({ seen: 'passed' });
  });

  test('two places are never neighbours: the way leads over both nodes and the router', async () => {
    const hops = await Promise.all([1, 2, 3].map((ttl) => lab.execAs('one', ['ping', '-n', '-c1', '-W1', `-t${ttl}`, '10.2.0.10'])));
    expect(hops.map((h) => /From (\S+)/.exec(h.stdout)?.[1])).toEqual(['198.51.100.1', '192.0.2.254', '198.51.100.2']);
  });

  test.each(['tcp', 'udp', 'echo'] as const)(
    'a forged source is delivered where nothing gates it (%s): a probe can tell',
    async (protocol) => {
      const row: ProbeRow = {
        from: 'two',
        to: 'three',
        sourceOf: 'one',
        protocol,
        family: 4,
        expected: 'nothing',
        timeoutMs: 300,
        ...(protocol === 'echo' ? {} : { port: 8443 }),
      };
      expect(await prober.run(row)).toMatchObject({ seen: 'delivered', asExpected: false });
    },
  );

  test('tells a closed port, an address that nobody has and a cut link apart', async () => {
    const seen = await lab.execAs('one', ['ping', '-n', '-c1', '-W1', '10.2.0.99']);
    expect(seen.stdout).toContain('Destination Host Unreachable');
    const kept = await prober.connect('one', 'three', 9000);
    expect(await kept.exchange()).toMatchObject({ kind: 'answered' });
    await lab.setLink('b', 'down');
    expect(await kept.exchange(300)).toMatchObject({ kind: 'silence' });
    await lab.setLink('b', 'up');
    expect(await kept.exchange(5000)).toMatchObject({ kind: 'answered' });
    expect(await prober.run({ from: 'one', to: 'three', family: 6, protocol: 'echo', expected: 'passed' })).toMatchObject({
      seen: 'passed',
    });
  });

  test.each([
    ['10.2.0.10', 'Frag needed'],
    ['fd00:2::10', 'Packet too big'],
  ])('a router with a smaller MTU says so (%s)', async (address, message) => {
    await lab.setMtu('b', 1400);
    const { stdout } = await lab.execAs('one', ['ping', '-n', '-c1', '-W1', '-Mdo', '-s1440', address]);
    await lab.setMtu('b', 1500);
    expect(stdout).toContain(message);
  });

  test('workloads come, go, and give their address to others while it runs', async () => {
    await lab.addWorkload('b', { name: 'late', uid: 1010, addresses: ['10.2.0.101', 'fd00:2::101'].map(parseIpAddress) });
    expect(await prober.run({ from: 'one', to: 'late', family: 4, protocol: 'tcp', port: 1234, expected: 'passed' })).toMatchObject({
      seen: 'passed',
    });
    prober.forget('late');
    await lab.replaceWorkload('late', { name: 'heir', uid: 1011 });
    expect((await lab.execAs('heir', ['id', '-u'])).stdout).toBe('1011\n');
    expect(await prober.run({ from: 'one', to: 'heir', family: 6, protocol: 'udp', port: 1234, expected: 'passed' })).toMatchObject({
      seen: 'passed',
    });
    expect(lab.status().workloads.map((w) => [w.name, w.node, w.uid, w.addresses])).toContainEqual([
      'heir',
      'b',
      1011,
      ['10.2.0.101', 'fd00:2::101'],
    ]);
    prober.forget('heir');
    await lab.removeWorkload('heir');
    const left = await lab.exec({ place: 'b' }, ['sh', '-c', 'ip -o link | grep -c ve-; ls /run/netns']);
    expect(left.stdout).toBe('1\nthree\n');
    expect((await lab.execAs('one', ['ping', '-n', '-c1', '-W1', '10.2.0.101'])).stdout).toContain('Unreachable');
  });

  test('a program’s leftovers are reaped by the first process of its node', async () => {
    const orphan = (await lab.execAs('one', ['sh', '-c', 'sleep 0.05 >/dev/null 2>&1 & echo $!'])).stdout.trim();
    expect(orphan).toMatch(/^\d+$/);
    // What nobody reaps is there for ever.
    const isGone = async (): Promise<boolean> => (await lab.exec({ place: 'a' }, ['test', '!', '-e', `/proc/${orphan}`])).code === 0;
    for (const end = Date.now() + 10_000; !(await isGone()) && Date.now() < end; ) await sleep(20);
    expect(await isGone()).toBe(true);
  });

  test('the status says where everything is', () => {
    const status = lab.status();
    expect(status.nodes.map((n) => n.agent.state)).toEqual(['absent', 'absent']);
    expect(status.authority).toMatchObject({ trustDomain: 'lab.example', apiAddress: '192.0.2.1:7400', pid: null });
    for (const path of [...status.nodes, ...status.workloads, status.operator, status.router].map((x) => x.namespace))
      expect(existsSync(path)).toBe(true);
    expect(readFileSync(`/proc/${status.nodes[0]?.pid}/comm`, 'utf8')).toBe('bash\n');
  });
});

test('two labs with the same addresses do not see each other', async () => {
  const labs = await Promise.all([startLab(SPEC, { authority: false }), startLab(SPEC, { authority: false, checkout })]);
  try {
    expect(new Set(labs.map((l) => l.id)).size).toBe(2);
    await labs[0]?.removeWorkload('three');
    const pings = await Promise.all(labs.map((l) => l.execAs('one', ['ping', '-n', '-c1', '-W1', '10.2.0.10'])));
    expect(pings.map((p) => p.code)).toEqual([1, 0]);
  } finally {
    await Promise.all(labs.map((l) => l.down()));
  }
});

test('kill -9 of the owner: the next sweep removes processes, namespaces, cgroups and folders', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sy-owner-'));
  const outfile = join(folder, 'owner.js');
  buildSync({ absWorkingDir: checkout, entryPoints: ['test/lab/owner.ts'], outfile, bundle: true, platform: 'node', logLevel: 'error' });
  const owner = spawn(process.execPath, [outfile, checkout, SPEC_TEXT], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(owner.stdout, 'data')) as [Buffer];
  rmSync(folder, { recursive: true });
  const id = said.toString().trim();
  const first = findLabs().find((l) => l.id === id)?.state?.places[0]?.pid ?? 0;

  expect(await sweepLabs()).not.toContain(id);
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  expect(identifyProcess(first)).toBeDefined();
  expect(await sweepLabs()).toContain(id);
  expect(identifyProcess(first)).toBeUndefined();
  expect(traces(id)).toEqual([]);
});
