import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { parseIpAddress } from '#core/network/address';
import type { Flow } from '#core/network/flow';
import { TestCa } from '#core/spiffe/testing/ca';
import type { EndpointId } from '../datapath/contract.ts';
import { PairTable } from '../datapath/pairs.ts';
import { MemoryMap } from '../datapath/testing/memory-map.ts';
import { CONNECT_TIMEOUT_MS } from '../session/peer-sessions.ts';
import { tcpFlow, until } from '../session/testing/links.ts';
import { linkNodes } from '../session/testing/test-node.ts';
import { startTwoAgents, type TestAgent } from './testing/test-agent.ts';

const FLOW = tcpFlow('10.1.0.2', '10.2.0.2', 8443);
const TCP = (lowPort: number, highPort = lowPort) => ({ protocol: 6, lowPort, highPort });

let ca: TestCa;
let one: TestAgent;
let two: TestAgent;
let web: EndpointId;
let payments: EndpointId;

beforeAll(async () => {
  ca = await TestCa.create();
});
beforeEach(async () => {
  ({ one, two, web, payments } = await startTwoAgents(ca));
});
afterEach(async () => {
  await Promise.all([one.manager.close(), two.manager.close()]);
});

async function connect(flow: Flow = FLOW): Promise<void> {
  expect(one.datapath.send(web, flow)).toBe('held');
  await until(() => one.datapath.admits(web, flow, 'client'), 'the pair');
}
const serves = (flow: Flow = FLOW): boolean => two.datapath.admits(payments, flow, 'server');

describe('first contact', () => {
  test('makes a pair at both nodes; the held packet is released; the same id at both ends', async () => {
    await connect();
    expect(serves()).toBe(true);
    expect(one.datapath.isHeld(FLOW)).toBe(false);
    expect(one.manager.pairs().map((p) => p.pairId)).toEqual(two.manager.pairs().map((p) => p.pairId));
    expect(one.manager.pairs()[0]?.pair.proven.role).toBe('client');
  });

  test('many flows between the same two workloads cost one exchange', async () => {
    for (let port = 1; port <= 20; port++) one.datapath.send(web, tcpFlow('10.1.0.2', '10.2.0.2', port));
    await until(() => one.datapath.admits(web, tcpFlow('10.1.0.2', '10.2.0.2', 20), 'client'));
    expect(two.datapath.history).toEqual([expect.stringMatching(/^install server/)]);
  });

  test('is refused at once when the server side denies it; a new policy lets it in', async () => {
    two.node.ingress = () => [];
    one.datapath.send(web, FLOW);
    await until(() => one.datapath.send(web, FLOW) === 'refused');
    expect(one.datapath.refusals).toMatchObject([{ reason: 'denied-by-policy' }]);
    two.node.ingress = () => [TCP(8443)];
    one.datapath.refusals.length = 0;
    await connect();
  });

  test('is refused when the client side denies it, and nothing stays at the server', async () => {
    one.node.egress = () => [];
    one.datapath.send(web, FLOW);
    await until(() => one.datapath.send(web, FLOW) === 'refused');
    await until(() => two.datapath.rows.size === 0);
  });

  test.each([
    ['an address in no directory', tcpFlow('10.1.0.2', '192.0.2.1', 80), 'not-in-directory'],
    ['an address where nobody lives', tcpFlow('10.1.0.2', '10.2.0.99', 80), 'no-such-workload'],
    ['an address of this node where nobody lives', tcpFlow('10.1.0.2', '10.1.0.99', 80), 'no-such-workload'],
  ])('with %s is refused', async (_name, flow, reason) => {
    one.datapath.send(web, flow);
    await until(() => one.datapath.refusals.length > 0);
    expect(one.datapath.refusals).toMatchObject([{ reason }]);
  });

  test('with a node that cannot be reached is refused, after it was dialled for three seconds', async () => {
    await two.manager.close();
    const started = performance.now();
    one.datapath.send(web, FLOW);
    await until(() => one.datapath.refusals.length > 0, 'the refusal');
    expect(one.datapath.refusals).toMatchObject([{ reason: 'peer-unreachable' }]);
    // Timers are never early.
    expect(performance.now() - started).toBeGreaterThan(CONNECT_TIMEOUT_MS - 50);
  });

  test('of a workload that is not attested yet waits until it is', async () => {
    one.endpoints.delete('10.1.0.2');
    one.datapath.send(web, FLOW);
    await until(() => one.datapath.isHeld(FLOW));
    expect(one.manager.sessions()).toHaveLength(0);
    one.endpoints.set('10.1.0.2', web);
    one.datapath.retry({
      realm: 0,
      endpoint: web,
      local: FLOW.source,
      remote: FLOW.destination,
      protocol: FLOW.protocol,
      role: 'client',
      servicePort: 8443,
    });
    await until(() => one.datapath.admits(web, FLOW, 'client'));
  });

  test('of a workload whose address another has taken meanwhile gets no pair', async () => {
    const install = two.datapath.installPair.bind(two.datapath);
    two.datapath.installPair = (spec) => {
      install(spec);
      one.endpoints.set('10.1.0.2', one.datapath.newEndpoint());
      one.node.changed();
    };
    one.datapath.send(web, FLOW);
    await until(() => two.datapath.history.length === 2, 'the close');
    expect(one.datapath.history).toEqual([]);
  });

  test('another port of a live pair is asked for, and leaves the pair as it is when it is denied', async () => {
    two.node.ingress = (_from, _to, flow) => (flow.servicePort === 8443 ? [TCP(8443)] : []);
    await connect();
    const other = tcpFlow('10.1.0.2', '10.2.0.2', 22);
    one.datapath.send(web, other);
    await until(() => one.datapath.send(web, other) === 'refused');
    expect([one.datapath.send(web, FLOW), serves()]).toEqual(['passed', true]);
  });

  test('opposite flows make two pairs', async () => {
    await connect();
    const back = tcpFlow('10.2.0.2', '10.1.0.2', 80);
    two.datapath.send(payments, back);
    await until(() => two.datapath.admits(payments, back, 'client') && one.datapath.admits(web, back, 'server'));
    expect(one.manager.pairs()).toHaveLength(2);
  });
});

describe('two workloads of one node', () => {
  test('make a pair without a session; closing it closes both ends', async () => {
    const cache = await one.addWorkload(ca, '10.1.0.3', '/cache');
    const flow = tcpFlow('10.1.0.2', '10.1.0.3', 6379);
    await connect(flow);
    expect(one.datapath.admits(cache, flow, 'server')).toBe(true);
    expect(one.manager.sessions()).toHaveLength(0);
    one.removeWorkload('10.1.0.3');
    expect(one.datapath.rows.size).toBe(0);
  });

  test('are refused when either side denies', async () => {
    await one.addWorkload(ca, '10.1.0.3', '/cache');
    one.node.ingress = () => [];
    one.datapath.send(web, tcpFlow('10.1.0.2', '10.1.0.3', 6379));
    await until(() => one.datapath.refusals.length > 0);
    expect([one.datapath.rows.size, one.datapath.refusals[0]?.reason]).toEqual([0, 'denied-by-policy']);
  });
});

describe('a live pair is closed at both nodes', () => {
  beforeEach(() => connect());

  test.each<[string, () => void]>([
    ['when the client side’s policy changes', () => ((one.node.egress = () => []), one.viewChanged())],
    ['when the server side’s policy changes', () => ((two.node.ingress = () => []), two.viewChanged())],
    ['when the client’s workload is gone', () => one.removeWorkload('10.1.0.2')],
    ['when the server’s workload is gone', () => two.removeWorkload('10.2.0.2')],
    ['when the bundle no longer vouches for the peer', () => (one.node.changed(new Map()), one.manager.viewChanged())],
    ['when the peer node is banned from the directory', () => (linkNodes([one.node]), one.viewChanged())],
  ])('%s', async (_name, change) => {
    change();
    await until(() => !serves() && !one.datapath.admits(web, FLOW, 'client'));
  });

  test('the end whose view changed is cut in the same turn', () => {
    two.node.ingress = () => [];
    two.viewChanged();
    expect(two.datapath.rows.size).toBe(0);
  });

  test('a narrower policy narrows the pair and keeps its epoch', () => {
    one.node.egress = () => [TCP(8443)];
    one.viewChanged();
    expect(one.datapath.send(web, tcpFlow('10.1.0.2', '10.2.0.2', 9000))).toBe('held');
    expect(one.datapath.send(web, FLOW)).toBe('passed');
    expect(new Set(one.datapath.history.map((line) => line.split(' ').at(-1))).size).toBe(1);
  });

  test('and what did not change stands', () => {
    one.viewChanged();
    two.viewChanged();
    expect([one.datapath.history.length, two.datapath.history.length, one.datapath.send(web, FLOW)]).toEqual([1, 1, 'passed']);
  });
});

/** The real table of pair rows, over a map in memory, under the agent's gate. */
function underPairTable(agent: TestAgent): { readonly map: MemoryMap; readonly table: PairTable } {
  const map = new MemoryMap();
  let epoch = 0;
  const table = new PairTable(map, { nextEpoch: () => ++epoch });
  const { datapath } = agent;
  const [install, remove] = [datapath.installPair.bind(datapath), datapath.removePair.bind(datapath)];
  datapath.installPair = (spec) => {
    table.install(spec, 'LIVE', () => true);
    install(spec);
  };
  datapath.removePair = (number) => {
    remove(number);
    return table.remove(number);
  };
  return { map, table };
}
/** More ranges than a row of the gate has room for. */
const NINE_RANGES = [TCP(8443), ...Array.from({ length: 9 }, (_, i) => TCP(10_000 + 10 * i, 10_001 + 10 * i))];

describe('a pair that cannot be written in the place of another', () => {
  test('at the client leaves nothing of either, at both nodes', async () => {
    const { map, table } = underPairTable(one);
    two.node.ingress = () => [TCP(8443)];
    await connect();
    expect(map.entries()).not.toHaveLength(0);
    const [first] = two.manager.pairs();
    two.node.ingress = () => NINE_RANGES;
    one.datapath.send(web, tcpFlow('10.1.0.2', '10.2.0.2', 10_000));
    await until(() => one.manager.pairs().length === 0);
    expect([map.entries(), table.list(), [...one.datapath.rows]]).toEqual([[], [], []]);
    await until(() => two.manager.pairs().every(({ pairId }) => pairId !== first?.pairId) && two.datapath.rows.size === 0);
  });

  test('at the server leaves nothing of either, and the client is told', async () => {
    const { map } = underPairTable(two);
    two.node.ingress = () => [TCP(8443)];
    await connect();
    const [first] = one.manager.pairs();
    two.node.ingress = () => NINE_RANGES;
    one.datapath.send(web, tcpFlow('10.1.0.2', '10.2.0.2', 10_000));
    await until(() => one.manager.pairs().every(({ pairId }) => pairId !== first?.pairId), 'the close');
    expect([map.entries(), two.manager.pairs()]).toEqual([[], []]);
  });

  test('because the view has changed keeps no other pair from being judged', async () => {
    underPairTable(two);
    const cache = await two.addWorkload(ca, '10.2.0.3', '/cache');
    two.node.ingress = () => [TCP(8443)];
    await connect();
    const other = tcpFlow('10.1.0.2', '10.2.0.3', 8443);
    await connect(other);
    two.node.ingress = (_from, to) => (to.endsWith('/payments') ? NINE_RANGES : []);
    two.viewChanged();
    expect([serves(), two.datapath.admits(cache, other, 'server'), two.manager.pairs()]).toEqual([false, false, []]);
    await until(() => one.manager.pairs().length === 0, 'the closes');
  });
});

describe('a close that crosses an install', () => {
  test('leaves nothing at either end', async () => {
    // The server admits, then its view denies before the client has verified the answer.
    const install = two.datapath.installPair.bind(two.datapath);
    two.datapath.installPair = (spec) => {
      install(spec);
      queueMicrotask(() => {
        two.node.ingress = () => [];
        two.viewChanged();
      });
    };
    one.datapath.send(web, FLOW);
    await until(() => one.datapath.forgotten.length > 0 || one.datapath.refusals.length > 0);
    expect([one.datapath.rows.size, two.datapath.rows.size]).toEqual([0, 0]);
    expect(one.datapath.history).toEqual([]);
  });

  test('also when the client’s own view changes while the answer is on its way', async () => {
    const install = two.datapath.installPair.bind(two.datapath);
    two.datapath.installPair = (spec) => {
      install(spec);
      one.node.egress = () => [];
      one.node.changed();
    };
    one.datapath.send(web, FLOW);
    await until(() => one.datapath.refusals.length > 0);
    await until(() => two.datapath.rows.size === 0);
    expect(one.datapath.history).toEqual([]);
  });
});

describe('leases', () => {
  test('keepalives renew them on both nodes', async () => {
    await connect();
    const renewed = ({ manager, datapath }: TestAgent): boolean =>
      manager.sessions().every(({ index }) => (datapath.leases.get(index)?.txUntilBootNs ?? 0n) - datapath.bootNs() > 25_000_000_000n);
    for (let i = 0; i < 3; i++) {
      one.datapath.advance(12);
      two.datapath.advance(12);
      expect([renewed(one), renewed(two)]).toEqual([false, false]);
      await until(() => renewed(one) && renewed(two), 'a renewal', 3000);
    }
    expect([one.datapath.send(web, FLOW), serves()]).toEqual(['passed', true]);
  }, 15_000);

  test('a pair beyond its lease is removed, and comes back in another epoch', async () => {
    await connect();
    one.datapath.advance(40);
    expect(one.datapath.send(web, FLOW)).toBe('held');
    await until(() => one.datapath.admits(web, FLOW, 'client'), 'the new pair', 4000);
    expect(one.datapath.history.map((line) => line.replace(/ \d+/, ''))).toEqual([
      'install client epoch 1',
      'remove client',
      'install client epoch 2',
    ]);
  });
});

describe('the session', () => {
  test('when it is lost is dialled again and takes the pairs over in their epoch', async () => {
    await connect();
    const [before] = one.manager.pairs();
    await two.manager.close();
    await two.restart();
    await until(() => one.manager.pairs()[0]?.pairId !== before?.pairId && serves(), 'the takeover', 9000);
    expect(one.datapath.history.filter((line) => line.startsWith('remove'))).toEqual([]);
    expect(two.datapath.history).toEqual([expect.stringMatching(/epoch 1$/)]);
  }, 15_000);

  test('of a restarted agent is opened for the pairs that it found, in their epoch', async () => {
    await connect();
    await one.restart();
    await until(() => one.manager.pairs().length === 1, 'the takeover', 5000);
    expect(one.datapath.history).toEqual([expect.stringMatching(/^install client \d+ epoch 1$/)]);
    expect([one.datapath.send(web, FLOW), serves()]).toEqual(['passed', true]);
  });

  test('of a restarted agent waits for a workload that awaits its SVID at the other end', async () => {
    await connect();
    two.node.withoutSvid.add('10.2.0.2');
    await one.restart();
    await until(() => one.datapath.refusals.length > 1, 'a second attempt', 5000);
    expect(one.datapath.refusals[0]).toMatchObject({ reason: 'not-ready' });
    expect([one.datapath.send(web, FLOW), serves()]).toEqual(['passed', true]);
    two.node.withoutSvid.clear();
    await until(() => one.manager.pairs().length === 1, 'the takeover', 5000);
    expect(one.datapath.history).toEqual([expect.stringMatching(/^install client \d+ epoch 1$/)]);
  });

  test('of a restarted agent ends a pair that it found when the policy is gone meanwhile', async () => {
    await connect();
    two.node.ingress = () => [];
    await one.restart();
    await until(() => !one.datapath.admits(web, FLOW, 'client'), 'the removal', 5000);
    expect(one.datapath.history).toEqual([expect.stringMatching(/^remove client/)]);
  });

  test('of a restarted agent need not open for what it found to end by its own view', async () => {
    await connect();
    await two.manager.close();
    await one.restart();
    await until(() => one.datapath.refusals.length > 0, 'the first attempt', 5000);
    expect(one.datapath.send(web, FLOW)).toBe('passed');
    one.mayStand = () => false;
    one.viewChanged();
    expect(one.datapath.history).toEqual([expect.stringMatching(/^remove client/)]);
  });

  test('of a restarted agent leaves what it found when something else is refused', async () => {
    two.node.ingress = (_from, _to, flow) => (flow.servicePort === 22 ? [] : [TCP(8443)]);
    await connect();
    two.node.withoutSvid.add('10.2.0.2');
    await one.restart();
    await until(() => one.datapath.refusals.length > 0, 'the first attempt', 5000);
    one.datapath.send(web, tcpFlow('10.1.0.2', '10.2.0.2', 22));
    two.node.withoutSvid.clear();
    await until(() => one.manager.pairs().length === 1, 'the takeover', 5000);
    expect(one.datapath.history).toEqual([expect.stringMatching(/^install client \d+ epoch 1$/)]);
  });

  test('of a restarted agent is not ended because one of several ports is gone', async () => {
    one.node.egress = () => [TCP(22), TCP(8443)];
    two.node.ingress = () => [TCP(22), TCP(8443)];
    await connect();
    two.node.ingress = (_from, _to, flow) => (flow.servicePort === 22 ? [] : [TCP(8443)]);
    await one.restart();
    await until(() => one.manager.pairs().length === 1, 'the takeover', 5000);
    expect(one.datapath.refusals).toMatchObject([{ reason: 'denied-by-policy' }]);
    expect([one.datapath.send(web, FLOW), one.datapath.send(web, tcpFlow('10.1.0.2', '10.2.0.2', 22))]).toEqual(['passed', 'refused']);
  });

  test('is replaced when the node’s SVID is renewed, and the pairs move', async () => {
    await connect();
    const [old] = one.manager.sessions();
    const issued = await ca.issueNode('one');
    one.node.credential = { svid: issued.verified(), privateKey: issued.privateKey };
    one.datapath.advance(11);
    two.datapath.advance(11);
    await until(() => one.manager.sessions().length === 2, 'the second session', 4000);
    await until(() => one.manager.pairs()[0]?.pair.session !== old?.index, 'the move', 8000);
    expect(one.datapath.send(web, FLOW)).toBe('passed');
    await until(() => one.manager.sessions().length === 1, 'the end of the first', 4000);
  }, 20_000);
});

test('pairs within the node that were found end with both their ends', async () => {
  const cache = await one.addWorkload(ca, '10.1.0.3', '/cache');
  const flow = tcpFlow('10.1.0.2', '10.1.0.3', 6379);
  await connect(flow);
  await connect();
  one.node.withoutSvid.add('10.1.0.2');
  one.mayStand = ({ endpoint, role }) => endpoint !== cache || role !== 'server';
  await one.restart();
  expect([...one.datapath.rows.values()].map(({ spec }) => spec.remote.text)).toEqual(['10.2.0.2']);
});

test('pairs that were found leave room for first packets', async () => {
  await connect();
  const others = [...one.datapath.rows.values()].flatMap((row) =>
    Array.from({ length: 100 }, (_, i) => {
      const remote = parseIpAddress(`10.2.1.${i}`);
      return { ...row, spec: { ...row.spec, pair: row.spec.pair + 1 + i, remote } };
    }),
  );
  for (const row of others) one.datapath.rows.set(row.spec.remote.text, row);
  await two.manager.close();
  await one.restart();
  const cache = await one.addWorkload(ca, '10.1.0.3', '/cache');
  const flow = tcpFlow('10.1.0.2', '10.1.0.3', 6379);
  expect(one.datapath.send(web, flow)).toBe('held');
  await until(() => one.datapath.admits(cache, flow, 'server'), 'the pair');
  expect(one.datapath.forgotten).toEqual([]);
});

test('a workload that knocks everywhere leaves room for another', async () => {
  const other = await one.addWorkload(ca, '10.1.0.3', '/cache');
  for (let i = 0; i < 500; i++) one.datapath.send(web, tcpFlow('10.1.0.2', `10.2.${1 + (i >> 8)}.${i & 255}`, 80));
  const flow = tcpFlow('10.1.0.3', '10.2.0.2', 8443);
  one.datapath.send(other, flow);
  await until(() => one.datapath.admits(other, flow, 'client'));
  expect(one.datapath.forgotten.length).toBeGreaterThan(400);
});
