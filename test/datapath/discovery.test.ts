import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { statSync } from 'node:fs';
import { formatSelector } from '#core/registration/selector';
import type { NodeInterfaces, WorkloadInterface } from '../../agent/attestation/discovery/watch.ts';
import { Bed } from './bed.ts';

jest.setTimeout(30_000);

let bed: Bed;
let discovery: Awaited<ReturnType<Bed['discovery']>>;

const last = (): NodeInterfaces => discovery.states.at(-1) ?? { workloads: [], uplinks: [], nodeAddresses: [] };
const find = (name: string): WorkloadInterface | undefined => last().workloads.find((w) => w.name === name);

/** Waits until the newest state is as wanted; fails with that state after 5 s. */
async function eventually(wanted: (state: NodeInterfaces) => boolean): Promise<void> {
  for (let i = 0; i < 250; i++) {
    if (wanted(last())) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(last()).toBe('as wanted');
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
  discovery.rescan(find('wa')?.interfaceIndex ?? 0);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(find('wa')?.addresses.map(({ text }) => text)).toEqual(['10.1.0.2', 'fd01::2']);
});

test('finds the processes behind an interface, by the namespace of its far end', async () => {
  const sleeper = bed.run('a', 2201, 'sleep', '60');
  await eventually(() => find('wa')?.processes.some(({ selectors }) => selectors.map(formatSelector).includes('unix:uid:2201')) === true);
  const found = find('wa');
  expect(found?.processes).toHaveLength(1);
  expect(found?.netns).toBe(statSync(`/proc/${found?.processes[0]?.pid}/ns/net`, { bigint: true }).ino);
  expect(find('wc')?.processes).toEqual([]);
  sleeper.stop();
  discovery.rescan(found?.interfaceIndex ?? 0);
  await eventually(() => find('wa')?.processes.length === 0);
  expect(find('wa')?.netns).toBe(found?.netns);
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

test('a route that is sent elsewhere takes the address away', async () => {
  bed.inside('x', 'ip route replace 10.1.0.2/32 dev wc');
  await eventually(
    () =>
      find('wa')
        ?.addresses.map(({ text }) => text)
        .join() === 'fd01::2',
  );
});
