import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '../../agent/session/testing/links.ts';
import { ECHO, pause, TwoNodes, v4, v6 } from './two-nodes.ts';

let nodes: TwoNodes;

beforeAll(async () => {
  nodes = new TwoNodes();
  await nodes.up();
  await nodes.bed.background('b', 'serve');
  await nodes.bed.background('c', 'serve');
});
afterAll(() => nodes.down());

test('a lease that runs out stops flows; a new lease does not bring them back, but lets new ones in', async () => {
  const { bed } = nodes;
  await nodes.allow('a', 'b', [[6, 8443, 8443]]);
  // Silent while the lease is over: so both ends still have it when the new one begins.
  const connection = await bed.quiet('a', v4('b'), '8443');
  expect(await connection.ask()).toBe('answered');
  await nodes.renew('x', 1n);
  await pause(1300);
  await nodes.renew('x');
  expect(await connection.ask()).toBe('ECONNRESET');
  expect(await bed.traffic('a', 'tcp', v4('b'), '8443')).toMatchObject({ seen: 'echo hello' });
});

test('a session that is closed ends its pairs at once', async () => {
  const { bed, datapaths } = nodes;
  const connection = await bed.background('a', 'stay', v6('b'), '8443');
  expect(connection.reports[0]).toBe('tick');
  await datapaths.x.closeSession(nodes.sessions.x);
  await until(() => connection.reports.at(-1) !== 'tick', 'the cut');
  expect(connection.reports.at(-1)).toBe('ECONNRESET');
  const next = await datapaths.x.openSession();
  expect(next).not.toBe(nodes.sessions.x); // pairs still refer to the old row
  nodes.sessions.x = next;
  await nodes.renew('x');
  await nodes.allow('a', 'b', [[6, 8443, 8443], ...ECHO]);
  expect(await bed.traffic('a', 'tcp', v6('b'), '8443')).toMatchObject({ seen: 'echo hello' });
});

test('an endpoint that goes takes its pairs with it; whoever gets its address inherits nothing', async () => {
  const { bed, datapaths, endpoints } = nodes;
  const connection = await bed.background('a', 'stay', v4('b'), '8443');
  expect(connection.reports[0]).toBe('tick');
  endpoints.a = await datapaths.x.newEndpoint();
  await nodes.configure('x');
  await until(() => connection.reports.at(-1) !== 'tick', 'the cut');
  expect(connection.reports.at(-1)).toBe('ECONNRESET');
  expect(await bed.ping('a', v4('b'))).toBe(0);
  await datapaths.x.kill();
  await nodes.start('x');
  expect(nodes.datapaths.x.found.pairs).toEqual([]);
  await nodes.configure('x');
  nodes.sessions.x = await nodes.datapaths.x.openSession();
  await nodes.renew('x');
});

test('an interface that is made anew under the same name and number is gated again', async () => {
  const { bed, datapaths } = nodes;
  const index = await datapaths.x.interfaceIndex('wa');
  bed.inside('x', 'ip link del wa');
  bed.inside('x', `ip link add wa index ${index} type veth peer name eth0 netns ${bed.namespace('a')}; ip link del wa`);
  bed.inside('x', `ip link add wa index ${index} type veth peer name eth9 netns ${bed.namespace('a')}; ip link del wa`);
  bed.workload('x', 'a', v4('a'), v6('a'), index);
  nodes.endpoints.a = await datapaths.x.newEndpoint();
  await nodes.configure('x');
  const seen = bed.traffic('a', 'tcp', v4('b'), '8443');
  const held = await nodes.datapaths.x.nextHeld();
  expect(held.key.endpoint).toBe(nodes.endpoints.a);
  await nodes.allow('a', 'b', [[6, 8443, 8443]]);
  expect(await seen).toMatchObject({ seen: 'echo hello' });
});

test('an endpoint that is not attested waits; attested, its packets wait for their pair; found to be unmanaged, they pass', async () => {
  const { bed, datapaths, gates } = nodes;
  gates.a = 'unattested';
  await nodes.configure('x');
  const seen = bed.traffic('a', 'tcp', v4('b'), '9090');
  const held = await datapaths.x.nextHeld();
  gates.a = 'all';
  await nodes.configure('x');
  await datapaths.x.retry(held.key);
  const again = await datapaths.x.nextHeld();
  expect(again.key).toEqual(held.key);
  await nodes.allow('a', 'b', [
    [6, 8443, 8443],
    [6, 9090, 9090],
  ]);
  expect(await seen).toMatchObject({ seen: 'echo hello' });

  gates.c = 'unattested';
  await nodes.configure('x');
  const other = bed.ping('c', v4('a'));
  const waiting = await datapaths.x.nextHeld();
  gates.c = 'unmanaged';
  gates.a = 'unmanaged';
  await nodes.configure('x');
  await datapaths.x.retry(waiting.key);
  expect(await other).toBe(1);
  gates.a = 'all';
  gates.c = 'all';
  await nodes.configure('x');
});

test('a workload that gets a new number while it waits goes on waiting under that', async () => {
  const { bed, datapaths } = nodes;
  const seen = bed.traffic('a', 'tcp', v4('c'), '8443');
  const held = await datapaths.x.nextHeld();
  nodes.endpoints.a = await datapaths.x.newEndpoint();
  await nodes.configure('x');
  const again = await datapaths.x.nextHeld();
  expect(again.key).toEqual({ ...held.key, endpoint: nodes.endpoints.a });
  await nodes.allow('a', 'c', [[6, 8443, 8443]]);
  expect(await seen).toMatchObject({ seen: 'echo hello' });
});

test('a workload that floods unknown destinations does not keep another’s first packets waiting', async () => {
  const { bed, datapaths, endpoints } = nodes;
  const flood = await bed.background('c', 'flood');
  await pause(1000);
  for (let i = 0; i < 5; i++) {
    const seen = bed.traffic('a', 'udp', v4('b'), '5353'); // nobody sends it again
    while ((await datapaths.x.nextHeld()).key.endpoint !== endpoints.a);
    const numbers = await nodes.allow('a', 'b', [[17, 5353, 5353]]);
    expect(await seen).toMatchObject({ seen: 'echo 0' });
    await nodes.disallow(numbers);
  }
  expect(await nodes.counter('x', 'hold-quota')).toBeGreaterThan(1000);
  flood.stop();
});

test('without an agent a first packet is refused at once, not held', async () => {
  const { bed } = nodes;
  await nodes.datapaths.x.kill();
  await pause(3200);
  expect(await bed.traffic('a', 'tcp', v4('b'), '7777')).toMatchObject({ seen: 'ECONNREFUSED' });
  await nodes.start('x');
  expect(await nodes.counter('x', 'no-agent')).toBe(1);
  await nodes.configure('x');
});

test('a second agent in one namespace is refused, and harms nothing', async () => {
  await expect(nodes.bed.datapath('x')).rejects.toThrow('ended before it was ready');
  await nodes.allow('a', 'c', [[6, 8443, 8443]]);
  expect(await nodes.bed.traffic('a', 'tcp', v4('c'), '8443')).toMatchObject({ seen: 'echo hello' });
});
