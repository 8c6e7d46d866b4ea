import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { DatapathConfig, EndpointId, PairKey, PairSpec, SessionIndex } from '../../agent/datapath/contract.ts';
import { parseIpAddress } from '#core/network/address';
import { parseIpPrefix } from '#core/network/prefix';
import { Bed, type RunningDatapath } from './bed.ts';

jest.setTimeout(30_000);

const SECOND = 1_000_000_000n;
const NODE = { x: 1, y: 2 } as const;
const WORKLOADS = { a: { node: 'x', host: 2 }, c: { node: 'x', host: 3 }, b: { node: 'y', host: 2 } } as const;
type Workload = keyof typeof WORKLOADS;
type Node = keyof typeof NODE;

const v4 = (w: Workload): string => `10.${NODE[WORKLOADS[w].node]}.0.${WORKLOADS[w].host}`;
const v6 = (w: Workload): string => `fd0${NODE[WORKLOADS[w].node]}::${WORKLOADS[w].host}`;

let bed: Bed;
const datapaths = {} as Record<Node, RunningDatapath>;
const endpoints = {} as Record<Workload, EndpointId>;
const sessions = {} as Record<Node, SessionIndex>;
let lastPair = 0;

async function config(node: Node): Promise<DatapathConfig> {
  const d = datapaths[node];
  const workloads = (Object.keys(WORKLOADS) as Workload[]).filter((w) => WORKLOADS[w].node === node);
  return {
    uplinks: [await d.interfaceIndex('up0')],
    endpoints: await Promise.all(
      workloads.map(async (w) => ({
        endpoint: endpoints[w],
        interfaceIndex: await d.interfaceIndex(`w${w}`),
        addresses: [parseIpAddress(v4(w)), parseIpAddress(v6(w))],
        gate: 'all' as const,
      })),
    ),
    directory: (['x', 'y'] as const).flatMap((n) => [
      { prefix: parseIpPrefix(`10.${NODE[n]}.0.0/24`), local: n === node },
      { prefix: parseIpPrefix(`fd0${NODE[n]}::/64`), local: n === node },
    ]),
    nodeAddresses: [parseIpAddress(`10.99.${NODE[node]}.1`), parseIpAddress(`fd99:${NODE[node]}::1`)],
    peerAgents: [],
    agentPort: 7443,
    revision: 1n,
  };
}

/** Allows client → server at both ends, both families; returns the pairs' numbers. */
async function allow(
  client: Workload,
  server: Workload,
  grants: readonly (readonly [number, number, number])[],
): Promise<readonly number[]> {
  const numbers: number[] = [];
  for (const address of [v4, v6]) {
    const pair = ++lastPair;
    numbers.push(pair);
    const end = async (role: 'client' | 'server'): Promise<void> => {
      const self = role === 'client' ? client : server;
      const node = WORKLOADS[self].node;
      const spec: PairSpec = {
        pair,
        realm: 0,
        endpoint: endpoints[self],
        local: parseIpAddress(address(self)),
        remote: parseIpAddress(address(role === 'client' ? server : client)),
        role,
        grants: grants.map(([protocol, lowPort, highPort]) => ({ protocol, lowPort, highPort })),
        session: sessions[node],
        notAfterBootNs: (await datapaths[node].bootNs()) + 300n * SECOND,
      };
      await datapaths[node].installPair(spec);
    };
    await end('server');
    await end('client');
  }
  return numbers;
}

async function start(node: Node): Promise<void> {
  datapaths[node] = await bed.datapath(node);
}

async function lease(node: Node): Promise<void> {
  const now = await datapaths[node].bootNs();
  await datapaths[node].renewSession(sessions[node], { txUntilBootNs: now + 60n * SECOND, rxUntilBootNs: now + 65n * SECOND });
}

beforeAll(async () => {
  bed = new Bed();
  for (const node of ['x', 'y'] as const) await start(node);
  for (const w of ['a', 'b', 'c'] as const) endpoints[w] = await datapaths[WORKLOADS[w].node].newEndpoint();
  for (const node of ['x', 'y'] as const) {
    await datapaths[node].configure(await config(node));
    sessions[node] = await datapaths[node].openSession();
    await lease(node);
  }
  await bed.background('b', 'serve');
  await bed.background('c', 'serve');
});

afterAll(() => bed.close());

const refusal = (key: PairKey): Promise<void> => datapaths.x.bootNs().then((now) => datapaths.x.refuse(key, 'test', now + 60n * SECOND));

describe('without a pair', () => {
  test('a packet waits until it is refused, and the refusal comes at once', async () => {
    const seen = bed.traffic('a', 'tcp', v4('b'), '9090');
    const held = await datapaths.x.nextHeld();
    expect(held.key).toMatchObject({ endpoint: endpoints.a, protocol: 6, servicePort: 9090, role: 'client' });
    expect(held.flow).toMatchObject({ source: { text: v4('a') }, destination: { text: v4('b') } });
    await refusal(held.key);
    expect(await seen).toMatchObject({ seen: 'ECONNREFUSED' });
    const again = await bed.traffic('a', 'tcp', v4('b'), '9090');
    expect(again.seen).toBe('ECONNREFUSED');
    expect(again.ms).toBeLessThan(500);
  });
});

describe('with a pair', () => {
  let numbers: readonly number[] = [];

  test.each(['10.2.0.2', 'fd02::2'])('held packets of TCP, UDP and echo to %s arrive when it is installed, in order', async (host) => {
    const tcp = bed.traffic('a', 'tcp', host, '8443');
    const udp = bed.traffic('a', 'udp', host, '5353', '20');
    const ping = bed.ping('a', host);
    const held = [await datapaths.x.nextHeld(), await datapaths.x.nextHeld(), await datapaths.x.nextHeld()];
    expect(held.map(({ key }) => key.protocol).sort((a, b) => a - b)).toEqual(host.includes(':') ? [6, 17, 58] : [1, 6, 17]);
    numbers = await allow('a', 'b', [
      [6, 8443, 8443],
      [17, 5353, 5353],
      [1, 0, 65_535],
      [58, 0, 65_535],
    ]);
    expect(await tcp).toMatchObject({ seen: 'echo hello' });
    expect((await udp).seen).toBe(`echo ${Array.from({ length: 20 }, (_, i) => i).join(' ')}`);
    expect(await ping).toBe(1);
    for (const number of numbers.slice(0)) {
      await datapaths.x.removePair(number);
      await datapaths.y.removePair(number);
    }
  });

  test('passes without waiting once it is there', async () => {
    numbers = await allow('a', 'b', [
      [6, 8443, 8443],
      [1, 0, 65_535],
    ]);
    const before = datapaths.x.held.length;
    for (const host of [v4('b'), v6('b')]) expect(await bed.traffic('a', 'tcp', host, '8443')).toMatchObject({ seen: 'echo hello' });
    expect(await bed.ping('a', v4('b'), 3)).toBe(3);
    expect(datapaths.x.held.length).toBe(before);
  });

  test('removing it cuts an established connection; installing it again does not revive that', async () => {
    const connection = await bed.background('a', 'stay', v4('b'), '8443');
    expect(connection.reports).toContain('tick');
    for (const number of numbers) await datapaths.x.removePair(number);
    await new Promise((resolve) => setTimeout(resolve, 400));
    numbers = await allow('a', 'b', [[6, 8443, 8443]]);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const ticks = connection.reports.filter((r) => r === 'tick').length;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(connection.reports.filter((r) => r === 'tick')).toHaveLength(ticks);
    connection.stop();
    expect(await bed.traffic('a', 'tcp', v4('b'), '8443')).toMatchObject({ seen: 'echo hello' });
  });

  test('the agent killed and started again: the flow goes on, and the pair is found', async () => {
    const connection = await bed.background('a', 'stay', v4('b'), '8443');
    await datapaths.x.kill();
    await start('x');
    expect(new Set(datapaths.x.found.pairs.map(({ spec }) => spec.pair))).toEqual(new Set(numbers));
    expect(new Set(datapaths.x.found.endpoints.map(({ endpoint }) => endpoint))).toEqual(new Set([endpoints.a, endpoints.c]));
    await datapaths.x.configure(await config('x'));
    const ticks = connection.reports.filter((r) => r === 'tick').length;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(connection.reports.filter((r) => r === 'tick').length).toBeGreaterThan(ticks + 3);
    expect(connection.reports).not.toContain('stalled');
    // Authenticated anew: the same epoch.
    numbers = await allow('a', 'b', [[6, 8443, 8443]]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(connection.reports).not.toContain('stalled');
    connection.stop();
    expect(await datapaths.x.newEndpoint()).toBeGreaterThan(endpoints.c);
  });
});

test('two workloads of one node reach each other by a pair of their own', async () => {
  const tcp = bed.traffic('a', 'tcp', v4('c'), '8443');
  const held = await datapaths.x.nextHeld();
  expect(held.key).toMatchObject({ endpoint: endpoints.a, protocol: 6, servicePort: 8443 });
  await allow('a', 'c', [[6, 8443, 8443]]);
  expect(await tcp).toMatchObject({ seen: 'echo hello' });
  expect(await bed.traffic('a', 'tcp', v6('c'), '8443')).toMatchObject({ seen: 'echo hello' });
});
