import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '../../agent/session/testing/links.ts';
import { ECHO, TwoNodes, v4, v6 } from './two-nodes.ts';

let nodes: TwoNodes;

beforeAll(async () => {
  nodes = new TwoNodes();
  await nodes.up();
  await nodes.bed.background('b', 'serve');
  await nodes.bed.background('c', 'serve');
});
afterAll(() => nodes.down());

describe('without a pair', () => {
  test.each([
    ['tcp', 'ECONNREFUSED', v4('b')],
    ['tcp', 'ECONNREFUSED', v6('b')],
    ['udp', 'EHOSTUNREACH', v4('b')],
    ['udp', 'EACCES', v6('b')],
  ])('a packet of %s waits until it is refused; then it, and those after it, get %s at once (%s)', async (protocol, error, host) => {
    const { bed, datapaths, endpoints } = nodes;
    const seen = bed.traffic('a', protocol, host, '9090');
    const held = await datapaths.x.nextHeld();
    expect(held.key).toMatchObject({ endpoint: endpoints.a, protocol: protocol === 'tcp' ? 6 : 17, servicePort: 9090, role: 'client' });
    expect(held.flow).toMatchObject({ source: { family: host.includes(':') ? 6 : 4 }, destination: { text: host } });
    await nodes.refuse(held.key);
    expect(await seen).toMatchObject({ seen: error });
    const denied = await nodes.counter('x', 'denied');
    expect(await bed.traffic('a', protocol, host, '9090')).toMatchObject({ seen: error });
    expect(await nodes.counter('x', 'denied')).toBe(denied + 1);
  });

  test('a packet that is forgotten is held anew when it comes again', async () => {
    const { bed, datapaths } = nodes;
    const seen = bed.traffic('a', 'tcp', v4('b'), '7777');
    const first = await datapaths.x.nextHeld();
    await datapaths.x.forget(first.key);
    const second = await datapaths.x.nextHeld(); // the client's second SYN, a second later
    expect(second.key).toEqual(first.key);
    await nodes.refuse(second.key);
    expect(await seen).toMatchObject({ seen: 'ECONNREFUSED' });
  });
});

describe('with a pair', () => {
  let numbers: readonly number[] = [];

  test.each([v4('b'), v6('b')])('held packets of TCP, UDP and echo to %s arrive when it is installed, in order', async (host) => {
    const { bed, datapaths } = nodes;
    const tcp = bed.traffic('a', 'tcp', host, '8443');
    const udp = bed.traffic('a', 'udp', host, '5353', '20');
    const ping = bed.ping('a', host);
    const held = [await datapaths.x.nextHeld(), await datapaths.x.nextHeld(), await datapaths.x.nextHeld()];
    expect(new Set(held.map(({ key }) => Number(key.protocol)))).toEqual(new Set([6, 17, host.includes(':') ? 58 : 1]));
    numbers = await nodes.allow('a', 'b', [[6, 8443, 8443], [17, 5000, 6000], ...ECHO]);
    expect(await tcp).toMatchObject({ seen: 'echo hello' });
    expect((await udp).seen).toBe(`echo ${Array.from({ length: 20 }, (_, i) => i).join(' ')}`);
    expect(await ping).toBe(1);
    await nodes.disallow(numbers);
  });

  test('nothing waits once it is there', async () => {
    const { bed, datapaths } = nodes;
    numbers = await nodes.allow('a', 'b', [[6, 8443, 8443], ...ECHO]);
    const before = datapaths.x.held.length;
    for (const host of [v4('b'), v6('b')]) {
      expect(await bed.traffic('a', 'tcp', host, '8443')).toMatchObject({ seen: 'echo hello' });
      expect(await bed.ping('a', host, 3)).toBe(3);
    }
    expect(datapaths.x.held.length).toBe(before);
  });

  test('a refusal from before gives way to it', async () => {
    const { bed, datapaths } = nodes;
    const seen = bed.traffic('a', 'tcp', v4('b'), '9090');
    expect((await seen).seen).toBe('ECONNREFUSED'); // from the first test: still in force
    const extended = await nodes.allow('a', 'b', [[6, 8443, 8443], [6, 9090, 9090], ...ECHO]);
    expect(await bed.traffic('a', 'tcp', v4('b'), '9090')).toMatchObject({ seen: 'echo hello' });
    expect(await datapaths.x.removePair(numbers[0] ?? 0)).toBe(false); // replaced
    numbers = extended;
  });

  test('losing one of its ports cuts the connections of that port alone', async () => {
    const { bed } = nodes;
    const kept = await bed.background('a', 'stay', v4('b'), '8443');
    const cut = await bed.background('a', 'stay', v4('b'), '9090');
    const lost = nodes.sentAgain('a');
    numbers = await nodes.allow('a', 'b', [[6, 8443, 8443]]);
    await until(() => cut.reports.at(-1) !== 'tick', 'the cut');
    expect(cut.reports.at(-1)).toBe('ECONNRESET');
    const ticks = kept.reports.length;
    await until(() => kept.reports.length > ticks + 2, 'more ticks');
    expect(new Set(kept.reports)).toEqual(new Set(['tick']));
    expect(nodes.sentAgain('a')).toBe(lost);
    kept.stop();
    cut.stop();
  });

  test('removing it cuts an established connection; installing it again does not revive that', async () => {
    const { bed, datapaths } = nodes;
    const [busy, quiet] = [await bed.background('a', 'stay', v4('b'), '8443'), await bed.quiet('a', v4('b'), '8443')];
    expect(await quiet.ask()).toBe('answered');
    for (const number of numbers) expect(await datapaths.x.removePair(number)).toBe(true);
    for (const number of numbers) expect(await datapaths.x.removePair(number)).toBe(false);
    await until(() => busy.reports.at(-1) !== 'tick', 'the cut');
    expect(busy.reports.at(-1)).toBe('ECONNRESET');
    numbers = await nodes.allow('a', 'b', [[6, 8443, 8443]]);
    expect(await quiet.ask()).toBe('ECONNRESET');
    expect(await bed.traffic('a', 'tcp', v4('b'), '8443')).toMatchObject({ seen: 'echo hello' });
  });

  test('the agent killed and started again: the flow goes on, and the pair is found', async () => {
    const { bed, endpoints } = nodes;
    const connection = await bed.background('a', 'stay', v4('b'), '8443');
    const lost = nodes.sentAgain('a');
    await nodes.datapaths.x.kill();
    const whileDead = connection.reports.length;
    await until(() => connection.reports.length > whileDead + 2, 'ticks without an agent');
    await nodes.start('x');
    const { found } = nodes.datapaths.x;
    expect(new Set(found.pairs.map(({ spec }) => spec.pair))).toEqual(new Set(numbers));
    expect(new Set(found.endpoints.map(({ endpoint }) => endpoint))).toEqual(new Set([endpoints.a, endpoints.c]));
    await nodes.configure('x');
    numbers = await nodes.allow('a', 'b', [[6, 8443, 8443]]); // authenticated anew: the same epoch
    const ticks = connection.reports.length;
    await until(() => connection.reports.length > ticks + 2, 'ticks with the new agent');
    expect(new Set(connection.reports)).toEqual(new Set(['tick']));
    expect(nodes.sentAgain('a')).toBe(lost);
    connection.stop();
    expect(await nodes.datapaths.x.newEndpoint()).toBeGreaterThan(endpoints.c);
  });
});

test('two workloads of one node reach each other by a pair of their own, held first', async () => {
  const { bed, datapaths, endpoints } = nodes;
  for (const host of [v4('c'), v6('c')]) {
    const tcp = bed.traffic('a', 'tcp', host, '8443');
    const held = await datapaths.x.nextHeld();
    expect(held.key).toMatchObject({ endpoint: endpoints.a, protocol: 6, servicePort: 8443 });
    const numbers = await nodes.allow('a', 'c', [[6, 8443, 8443]]);
    expect(await tcp).toMatchObject({ seen: 'echo hello' });
    await nodes.disallow(numbers);
  }
});
