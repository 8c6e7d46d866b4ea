import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Grant } from '#core/policy/model';
import { TEST_NOW, TestCa, type TestCertificate } from '#core/spiffe/testing/ca';
import { verifyX509Svid } from '#core/spiffe/verify';
import { addMs } from '#core/time/instant';
import { systemClock } from '#daemon/clock';
import { silentLogger } from '#daemon/log';
import type { PairJudge, PairOutcome } from '../../agent/proof/contract.ts';
import { dialAs, listenAs, type ListeningNode, tcpFlow } from '../../agent/session/testing/links.ts';
import { linkNodes, testClock, TestNode } from '../../agent/session/testing/test-node.ts';

// Two agents over real TLS; agent/session/*attacks.test.ts tries the same in more shapes. Here each attack is also seen to work as soon as the one
// check that stops it is replaced, in this test alone.

const MINUTE = 60_000;
const FLOW = tcpFlow('10.1.0.2', '10.2.0.2', 8443);
const ALL_TCP: readonly Grant[] = [{ protocol: 6, lowPort: 1, highPort: 65_535 }];

let ca: TestCa;
let foreign: TestCa;
let one: TestNode;
let two: TestNode;
let three: TestNode;
let servers: ListeningNode[] = [];

beforeAll(async () => {
  [ca, foreign] = await Promise.all([TestCa.create(), TestCa.create('west.example', { uris: [] })]);
});
beforeEach(async () => {
  [one, two, three] = [await TestNode.create(ca, 'one'), await TestNode.create(ca, 'two'), await TestNode.create(ca, 'three')];
  linkNodes([one, two, three]);
  await two.addWorkload(ca, '10.2.0.2', '/payments');
});
const close = async (): Promise<void> => {
  await Promise.all(servers.map((server) => server.listener.close()));
  servers = [];
};
afterEach(close);
afterAll(close);

/** Node two, with some of its checks replaced. */
async function listen(options: Parameters<typeof listenAs>[1] = {}): Promise<ListeningNode> {
  const server = await listenAs(two, options);
  servers.push(server);
  return server;
}

/** Node two's answers, but for what is given. */
function judgeOf(node: TestNode, replaced: Partial<PairJudge>): PairJudge {
  return {
    lifetimeSeconds: node.lifetimeSeconds,
    localWorkload: (flow, end) => node.localWorkload(flow, end),
    verifySvid: (chain) => node.verifySvid(chain),
    judge: (request) => node.judge(request),
    generation: () => node.generation(),
    ...replaced,
  };
}

/** What came of the flow, and whom node two has admitted as its client. */
async function attack(from: TestNode, server: ListeningNode, flow = FLOW): Promise<[PairOutcome['verdict'], ...string[]]> {
  const { session } = await dialAs(from, server);
  const { verdict } = await session.authenticate(flow);
  session.close();
  return [verdict, ...server.hooks.admitted.map((pair) => pair.peer.id)];
}

describe('SVID and key of a workload, used from a node that they were not issued to', () => {
  beforeEach(async () => {
    const web = await one.addWorkload(ca, '10.1.0.2', '/web');
    three.workloads.set('10.3.0.2', web);
  });
  const flow = tcpFlow('10.3.0.2', '10.2.0.2', 8443);

  test('are refused', async () => {
    expect(await attack(three, await listen(), flow)).toEqual(['refused']);
  });

  test('would be believed without the check of placement', async () => {
    const lenient = judgeOf(two, { judge: () => ({ verdict: 'accepted', grants: ALL_TCP }) });
    expect(await attack(three, await listen({ judge: lenient }), flow)).toEqual(['accepted', 'spiffe://east.example/web']);
  });
});

describe("a workload's SVID in the place of its node's", () => {
  let impostor: TestNode;
  beforeEach(async () => {
    const web = await one.addWorkload(ca, '10.1.0.2', '/web');
    impostor = new TestNode('one', web, one.bundles);
    impostor.directory = one.directory;
    impostor.workloads.set('10.1.0.2', web);
  });

  test('opens no session, even where the directory would take anybody', async () => {
    const told: unknown[] = [];
    const log = { ...silentLogger, warn: (fields: object) => void told.push(fields) };
    const server = await listen({ accept: () => undefined, log });
    expect(await attack(impostor, server)).toEqual(['refused']);
    expect(server.sessions).toHaveLength(0);
    // The very check, by its words: nothing else has refused it.
    expect(told).toEqual([expect.objectContaining({ problem: expect.stringContaining("is no node's SVID; only nodes open sessions") })]);
  });

  test('would open one if the node that it was issued to were taken for its ID', async () => {
    const node = two.verifySvid.bind(two);
    const lenient = judgeOf(two, {
      verifySvid: (chain) => {
        const svid = node(chain);
        return svid.issuedToNode ? { ...svid, id: svid.issuedToNode } : svid;
      },
    });
    const server = await listen({ judge: lenient, accept: () => undefined });
    expect(await attack(impostor, server)).toEqual(['accepted', one.id]);
    expect(server.sessions.map((session) => session.peer.id)).toEqual([one.id]);
  });
});

describe.each<[string, TestCertificate, number]>([
  ['expired', { notBefore: addMs(TEST_NOW, -50 * MINUTE), notAfter: addMs(TEST_NOW, -20 * MINUTE) }, -30 * MINUTE],
  ['not yet valid', { notBefore: addMs(TEST_NOW, 20 * MINUTE), notAfter: addMs(TEST_NOW, 50 * MINUTE) }, 30 * MINUTE],
])('an SVID that is %s', (_name, fields, whenValidMs) => {
  /** A listener that takes the time for the one at which the SVID was, or will be, valid. */
  const wrongTime = (): Promise<ListeningNode> => {
    const clock = { now: () => addMs(testClock.now(), whenValidMs), after: systemClock.after.bind(systemClock) };
    return listen({ clock, judge: judgeOf(two, { verifySvid: (chain) => verifyX509Svid(chain, two.bundles, clock.now()) }) });
  };

  test("does not prove a workload; with the verifier's clock wrong by half an hour it would", async () => {
    await one.addWorkload(ca, '10.1.0.2', '/web', fields);
    expect(await attack(one, await listen())).toEqual(['refused']);
    expect((await attack(one, await wrongTime()))[1]).toBe('spiffe://east.example/web');
  });

  test("opens no session as a node; with the verifier's clock wrong by half an hour it would", async () => {
    one.credential = (await TestNode.create(ca, 'one', ca.bundles, fields)).credential;
    await one.addWorkload(ca, '10.1.0.2', '/web');
    const right = await listen();
    expect(await attack(one, right)).toEqual(['refused']);
    const wrong = await wrongTime();
    await attack(one, wrong);
    expect([right.sessions.length, wrong.sessions.length]).toEqual([0, 1]);
  });
});

describe('the CA of another trust domain, trusted for its own names, minting ours', () => {
  beforeEach(() => {
    two.bundles = new Map([...ca.bundles, ...foreign.bundles]);
  });
  /** All authorities in one pool, as a TLS library keeps them. */
  const pooled = (): void => {
    const authorities = [...ca.bundle.authorities, ...foreign.bundle.authorities];
    two.bundles = new Map([[ca.trustDomain, { ...ca.bundle, authorities }]]);
  };

  test("proves no workload of ours; with both domains' authorities in one pool it would", async () => {
    const web = await one.addWorkload(ca, '10.1.0.2', '/web');
    const minted = await foreign.issueWorkload('/web', 'one', { uris: [web.svid.id], issuedToNode: one.id });
    one.workloads.set('10.1.0.2', { svid: { ...web.svid, chain: minted.chain }, privateKey: minted.privateKey });
    const server = await listen();
    expect(await attack(one, server)).toEqual(['refused']);
    pooled();
    expect((await attack(one, server))[1]).toBe('spiffe://east.example/web');
  });

  test("is no node of ours; with both domains' authorities in one pool it would be", async () => {
    await one.addWorkload(ca, '10.1.0.2', '/web');
    const minted = await foreign.issue('/symbolon/node/one', { uris: [one.id] });
    one.credential = { svid: { ...one.credential.svid, chain: minted.chain }, privateKey: minted.privateKey };
    const server = await listen();
    expect(await attack(one, server)).toEqual(['refused']);
    expect(server.sessions).toHaveLength(0);
    pooled();
    await attack(one, server);
    expect(server.sessions.map((session) => session.peer.id)).toEqual([one.id]);
  });
});
