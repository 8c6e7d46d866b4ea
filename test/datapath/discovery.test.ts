import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readdirSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatSelector } from '#core/registration/selector';
import type { NodeInterfaces, WorkloadInterface } from '../../agent/attestation/discovery/watch.ts';
import { MAX_INCOMPLETE_LOOKS } from '../../agent/attestation/incomplete-look.ts';
import { networkNamespaceAt, selectorsAt } from '../../agent/attestation/read-process.ts';
import { type Elusive, elusiveCommand } from '../setup/processes.ts';
import { startUntilTold } from '../setup/until-told.ts';
import { Bed } from './bed.ts';

let bed: Bed;
let discovery: Awaited<ReturnType<Bed['discovery']>>;

const last = (): NodeInterfaces =>
  discovery.states.at(-1) ?? { workloads: [], uplinks: [], uplinkNames: [], nodeAddresses: [], problems: [] };
const find = (name: string): WorkloadInterface | undefined => last().workloads.find((w) => w.name === name);

/** Waits until the newest state is as wanted; fails with that state after 40 s. */
async function eventually(wanted: (state: NodeInterfaces) => boolean): Promise<void> {
  for (const end = Date.now() + 40_000; Date.now() < end; await sleep(20)) if (wanted(last())) return;
  expect(last()).toBe('as wanted');
}

/** Waits until the node has been looked at after the call: the newest state is of then. */
async function lookedAt(): Promise<void> {
  const isRouted = (): boolean => find('wa')?.addresses.some(({ text }) => text === '10.1.0.9') === true;
  bed.inside('x', 'ip route add 10.1.0.9/32 dev wa');
  await eventually(isRouted);
  bed.inside('x', 'ip route del 10.1.0.9/32 dev wa');
  await eventually(() => !isRouted());
}

beforeAll(async () => {
  bed = new Bed();
  discovery = await bed.discovery('x');
});
afterAll(() => bed.close());

test('finds uplinks, the node’s addresses and workloads with the addresses that the node routes to them', () => {
  const { workloads, uplinks, nodeAddresses } = last();
  expect(workloads.map(({ name, addresses }) => [name, addresses.map(({ text }) => text)])).toEqual([
    ['wa', ['10.1.0.2', 'fd01::2']],
    ['wc', ['10.1.0.3', 'fd01::3']],
  ]);
  expect(uplinks).toHaveLength(1);
  expect(uplinks).not.toContain(find('wa')?.interfaceIndex);
  expect(nodeAddresses.map(({ text }) => text)).toEqual(expect.arrayContaining(['10.99.1.1', 'fd99:1::1']));
  expect(find('wa')).toMatchObject({ netns: 0n, processes: [] });
});

test('an address that the workload gives itself is not its own', async () => {
  bed.inside('a', 'ip addr add 10.1.0.3/32 dev lo; ip addr add 10.2.0.2/32 dev eth0');
  await lookedAt();
  expect(find('wa')?.addresses.map(({ text }) => text)).toEqual(['10.1.0.2', 'fd01::2']);
});

test('finds the processes behind an interface, by the namespace of its far end', async () => {
  const sleeper = bed.run('a', 2201, 'sleep', 'infinity');
  await eventually(() => find('wa')?.processes.some(({ selectors }) => selectors.map(formatSelector).includes('unix:uid:2201')) === true);
  const found = find('wa');
  expect(found?.processes).toHaveLength(1);
  expect(found?.netns).toBe(statSync(`/proc/${found?.processes[0]?.pid}/ns/net`, { bigint: true }).ino);
  expect(find('wc')?.processes).toEqual([]);
  sleeper.stop();
  await left('wa');
  expect(find('wa')?.netns).toBe(found?.netns);
});

const usersOf = (found: WorkloadInterface | undefined): readonly string[] =>
  [
    ...new Set(found?.processes.flatMap(({ selectors }) => selectors.map(formatSelector).filter((text) => text.startsWith('unix:uid:')))),
  ].sort();

/** Looks at the workload until it is as wanted. */
async function lookUntil(name: string, wanted: (found: WorkloadInterface | undefined) => boolean): Promise<void> {
  await eventually(() => {
    if (wanted(find(name))) return true;
    discovery.rescan(find(name)?.interfaceIndex ?? 0);
    return false;
  });
}

/** Waits until a process of the user is found in the workload. */
const met = (name: string, user: string): Promise<void> => lookUntil(name, (found) => usersOf(found).includes(user));

/** Waits until the end of all that ran in the workload has been noticed: who is met next is somebody else. */
const left = (name: string): Promise<void> => lookUntil(name, (found) => found?.processes.length === 0);

/** Looks at the workload again and again for `ms`; every state that came of it. */
async function watchFor(name: string, ms: number): Promise<readonly (WorkloadInterface | undefined)[]> {
  const first = discovery.states.length;
  for (const end = Date.now() + ms; Date.now() < end; ) {
    discovery.rescan(find(name)?.interfaceIndex ?? 0);
    await sleep(60);
  }
  return discovery.states.slice(first).map(({ workloads }) => workloads.find((w) => w.name === name));
}

/** Lists the processes of a namespace first and inspects them then; whoever has ended meanwhile is left out. */
function lookNaively(namespace: string): readonly string[] {
  const wanted = statSync(namespace, { bigint: true }).ino;
  const listed = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && networkNamespaceAt(`/proc/${name}`) === wanted);
  return listed.flatMap(
    (pid) =>
      selectorsAt(`/proc/${pid}`)
        ?.map(formatSelector)
        .filter((text) => text.startsWith('unix:uid:')) ?? [],
  );
}

test.each<[string, Elusive]>([
  ['goes on as another one every 200 µs', ['hop', 200]],
  ['goes on as another one as fast as it can', ['hop', 0]],
  ['has only threads left', ['leaderless']],
])('a process that %s is met by every look; a list that is inspected afterwards misses it', async (_, kind) => {
  const namespace = `/run/netns/${bed.namespace('a')}`;
  const sleeper = bed.run('a', 2201, 'sleep', 'infinity');
  await met('wa', 'unix:uid:2201');
  const elusive = startUntilTold(elusiveCommand(kind, namespace, 2999));
  try {
    await met('wa', 'unix:uid:2999');
    const looks = await watchFor('wa', 1500);
    expect(looks.filter((found) => found?.incompleteLooks === 0 && !usersOf(found).includes('unix:uid:2999'))).toEqual([]);
    const naive = Array.from({ length: 50 }, () => lookNaively(namespace));
    expect(naive.filter((users) => !users.includes('unix:uid:2999')).length).toBeGreaterThan(0);
    // Whoever has ended is not to be met: it was there all the time, as far as this process has heard by its next turn.
    await sleep(1);
    expect(elusive.isOver()).toBe(false);
  } finally {
    expect(await elusive.end()).toMatchObject({ code: 0 });
    sleeper.stop();
  }
  await left('wa');
});

test('a workload that starts a short-lived process every other millisecond is looked at completely again and again', async () => {
  const loop = bed.run('a', 2201, 'sh', '-c', 'while :; do sleep 0.001; done');
  await met('wa', 'unix:uid:2201');
  const looks = await watchFor('wa', 3000);
  expect(looks.length).toBeGreaterThan(5);
  expect(looks.flatMap((found) => usersOf(found)).every((user) => user === 'unix:uid:2201')).toBe(true);
  expect(Math.max(...looks.map((found) => found?.incompleteLooks ?? 99))).toBeLessThan(MAX_INCOMPLETE_LOOKS / 2);
  loop.stop();
  await left('wa');
});

test('an interface that takes over another’s index and name is another one', async () => {
  const before = find('wc');
  expect(before).toBeDefined();
  bed.inside('x', 'ip link del wc');
  bed.inside(
    'x',
    `ip link add wc index ${before?.interfaceIndex} type veth peer name eth1 netns ${bed.namespace('a')}; ip link set wc up; ip route add 10.1.0.3/32 dev wc`,
  );
  await eventually(() => find('wc') !== undefined && find('wc')?.instance !== before?.instance);
  await eventually(
    () =>
      find('wc')
        ?.addresses.map(({ text }) => text)
        .join() === '10.1.0.3',
  );
  expect(find('wc')?.interfaceIndex).toBe(before?.interfaceIndex);
});

test('two hundred interfaces that come and go leave nothing behind', async () => {
  const batch = (line: (i: number) => string): string => Array.from({ length: 200 }, (_, i) => line(i)).join('\n');
  bed.inside('x', `ip -batch - <<END\n${batch((i) => `link add q${i} type veth peer name q${i} netns ${bed.namespace('b')}`)}\nEND`);
  await eventually(({ workloads }) => workloads.filter(({ name }) => name.startsWith('q')).length === 200);
  bed.inside('x', `ip -batch - <<END\n${batch((i) => `link del q${i}`)}\nEND`);
  await eventually(({ workloads }) => workloads.every(({ name }) => !name.startsWith('q')));
  expect(last().workloads.map(({ name }) => name)).toEqual(['wa', 'wc']);
});

/** Advertises a default route, a route to another node's prefix and a prefix to make an address of (RFC 4861, RFC 4191). */
const ADVERTISE = `
import socket, struct
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
prefix = socket.inet_pton(socket.AF_INET6, 'fd02::')
ra = struct.pack('!BBHBBHII', 134, 0, 0, 64, 0, 1800, 0, 0)
ra += struct.pack('!BBBBIII', 3, 4, 64, 0xc0, 0xffffffff, 0xffffffff, 0) + prefix
ra += struct.pack('!BBBBI', 24, 3, 64, 0, 0xffffffff) + prefix
s.sendto(ra, ('ff02::1', 0, 0, socket.if_nametoindex('eth0')))
`;

test('a workload that advertises routes and prefixes stays a workload', async () => {
  const conf = '/proc/sys/net/ipv6/conf';
  expect(bed.inside('x', `cat ${conf}/wa/accept_ra`)).toBe('0\n');
  // As on a node that forwards no IPv6, and where somebody has switched it on again.
  bed.inside(
    'x',
    `echo 0 >${conf}/wa/forwarding; echo 0 >${conf}/all/forwarding; echo 2 >${conf}/wa/accept_ra; echo 64 >${conf}/wa/accept_ra_rt_info_max_plen`,
  );
  const before = last();
  await eventually(() => {
    bed.inside('a', `python3 -c "${ADVERTISE}"`);
    return bed.inside('x', 'ip -6 route show dev wa proto ra').includes('default');
  });
  expect(bed.inside('x', 'ip -6 route show dev wa')).toMatch(/^fd02::\/64/m);
  expect(bed.inside('x', 'ip -6 addr show dev wa')).toContain('inet6 fd02:');
  await lookedAt();
  const { workloads, uplinks, nodeAddresses, problems } = last();
  expect({ uplinks, problems, workloads: workloads.map(({ name }) => name) }).toEqual({
    uplinks: before.uplinks,
    problems: [],
    workloads: before.workloads.map(({ name }) => name),
  });
  expect(nodeAddresses.filter(({ text }) => text.startsWith('fd02:'))).toEqual([]);
  // A classification that believed the kernel would have made an uplink of it.
  expect(bed.inside('x', 'ip -6 route get fd02::77')).toContain('dev wa');
});

test('a look that fails keeps what was known, says so, and is repeated', async () => {
  const before = last();
  await discovery.tell('fail');
  bed.inside('x', 'ip route add 10.1.0.9/32 dev wa');
  await eventually(({ problems }) => problems.length > 0);
  expect(last()).toEqual({ ...before, problems: [expect.stringContaining('the clock has stopped')] });
  await discovery.tell('heal');
  await eventually(({ problems }) => problems.length === 0);
  expect(find('wa')?.addresses.map(({ text }) => text)).toContain('10.1.0.9');
  bed.inside('x', 'ip route del 10.1.0.9/32 dev wa');
});

test('a route that is sent elsewhere takes the address away', async () => {
  bed.inside('x', 'ip route replace 10.1.0.2/32 dev wc');
  await eventually(
    () =>
      find('wa')
        ?.addresses.map(({ text }) => text)
        .join() === 'fd01::2',
  );
});
