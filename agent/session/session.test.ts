import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SymbolonError } from '#core/errors/error';
import { TestCa } from '#core/spiffe/testing/ca';
import { addMs } from '#core/time/instant';
import { dialAs, listenAs, type ListeningNode, type RecordedHooks, tcpFlow, until } from './testing/links.ts';
import { linkNodes, testClock, TestNode } from './testing/test-node.ts';
import type { OwnedSession } from './hooks.ts';

const TCP = (lowPort: number, highPort = lowPort) => ({ protocol: 6, lowPort, highPort });
const FLOW = tcpFlow('10.1.0.2', '10.2.0.2', 8443);

let ca: TestCa;
let one: TestNode;
let two: TestNode;
let server: ListeningNode;
let client: OwnedSession;
let clientHooks: RecordedHooks;

beforeAll(async () => {
  ca = await TestCa.create();
  one = await TestNode.create(ca, 'one');
  two = await TestNode.create(ca, 'two');
  linkNodes([one, two]);
  await one.addWorkload(ca, '10.1.0.2', '/web');
  await two.addWorkload(ca, '10.2.0.2', '/payments');
  server = await listenAs(two);
  ({ session: client, hooks: clientHooks } = await dialAs(one, server));
});
afterAll(() => server.listener.close());

describe('a pair', () => {
  test('is proven in both directions with the same id and the grants that both sides allow', async () => {
    one.egress = () => [TCP(8000, 8999)];
    two.ingress = () => [TCP(8443, 9000), TCP(1)];
    const outcome = await client.authenticate(FLOW);
    expect(outcome).toMatchObject({ verdict: 'accepted', role: 'client', grants: [TCP(8443, 8999)] });
    const [admitted] = server.hooks.admitted.splice(0);
    if (outcome.verdict !== 'accepted' || !admitted) throw new Error('not accepted');
    expect(admitted).toMatchObject({ pairId: outcome.pairId, role: 'server', flow: FLOW, grants: [TCP(8443, 9000), TCP(1)] });
    expect([admitted.peer.id, outcome.peer.id]).toEqual(['spiffe://east.example/web', 'spiffe://east.example/payments']);
    expect(outcome.expiresAt).toBeLessThanOrEqual(addMs(testClock.now(), 600_000));
    expect(outcome.pairId).toMatch(/^[0-9a-f]{32}$/);
  });

  test('has another id each time, and names the one that it replaces', async () => {
    const first = await client.authenticate(FLOW);
    if (first.verdict !== 'accepted') throw new Error('not accepted');
    const second = await client.authenticate(FLOW, first.pairId);
    expect(second).toMatchObject({ verdict: 'accepted', replaces: first.pairId });
    expect(server.hooks.admitted.splice(0)[1]).toMatchObject({ replaces: first.pairId });
    expect(second).not.toMatchObject({ pairId: first.pairId });
  });

  test('may be started by the end that accepted the connection', async () => {
    await until(() => server.sessions.length > 0);
    const outcome = await server.sessions[0]?.authenticate(tcpFlow('10.2.0.2', '10.1.0.2', 8500));
    expect(outcome).toMatchObject({ verdict: 'accepted' });
    expect(clientHooks.admitted.splice(0)).toMatchObject([{ role: 'server' }]);
  });

  test('with forward secrecy has the same id at both ends', async () => {
    const { session } = await dialAs(one, server, { forwardSecrecy: true });
    const outcome = await session.authenticate(FLOW);
    expect(server.hooks.admitted.splice(0)).toMatchObject([{ pairId: outcome.verdict === 'accepted' && outcome.pairId }]);
    session.close();
  });

  test('many at once are all proven', async () => {
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => client.authenticate(FLOW)));
    expect(new Set(outcomes.map((o) => (o.verdict === 'accepted' ? o.pairId : o.reason))).size).toBe(200);
    expect(server.hooks.admitted.splice(0)).toHaveLength(200);
  });
});

describe('a pair is refused', () => {
  test('when the server side denies it', async () => {
    two.ingress = () => [];
    expect(await client.authenticate(FLOW)).toMatchObject({ verdict: 'refused', reason: 'denied-by-policy' });
    two.ingress = () => [TCP(8443)];
    expect(server.hooks.admitted).toHaveLength(0);
  });

  test('when the client side denies it: the server, which had admitted it, is told', async () => {
    one.egress = () => [];
    expect(await client.authenticate(FLOW)).toMatchObject({ verdict: 'refused', reason: 'denied-by-policy' });
    one.egress = () => [TCP(8443)];
    const [admitted] = server.hooks.admitted.splice(0);
    await until(() => server.hooks.closedPairs.length > 0);
    expect(server.hooks.closedPairs.splice(0)).toEqual([{ pairId: admitted?.pairId, reason: 'policy-changed' }]);
  });

  test.each([
    ['nobody at the destination', tcpFlow('10.1.0.2', '10.2.0.9', 8443), 'no-such-workload'],
    ['nobody at the source', tcpFlow('10.1.0.9', '10.2.0.2', 8443), 'no-such-workload'],
  ])('%s', async (_name, flow, reason) => {
    expect(await client.authenticate(flow)).toMatchObject({ verdict: 'refused', reason });
  });

  test.each([
    ['at the destination', () => two, FLOW.destination],
    ['at the source', () => one, FLOW.source],
  ])('a workload %s that awaits its SVID', async (_name, node, { text }) => {
    node().withoutSvid.add(text);
    expect(await client.authenticate(FLOW)).toMatchObject({ verdict: 'refused', reason: 'not-ready' });
    node().withoutSvid.delete(text);
  });

  test('when the rows cannot be written', async () => {
    server.hooks.refuse = new SymbolonError('PAIR_REFUSED', 'the gate is full', { reason: 'overloaded' });
    expect(await client.authenticate(FLOW)).toMatchObject({ verdict: 'refused', reason: 'overloaded' });
    server.hooks.refuse = undefined;
  });

  test('when the session ends meanwhile', async () => {
    const { session } = await dialAs(one, server);
    const outcome = session.authenticate(FLOW);
    session.close();
    expect(await outcome).toMatchObject({ verdict: 'refused', reason: 'session-lost' });
    await session.closed;
    server.hooks.admitted.splice(0);
  });

  test('a change of view while the answer is signed is judged anew', async () => {
    let judged = 0;
    two.ingress = () => {
      judged++;
      if (judged > 1) return [];
      setImmediate(() => two.changed());
      return [TCP(8443)];
    };
    expect(await client.authenticate(FLOW)).toMatchObject({ verdict: 'refused', reason: 'denied-by-policy' });
    expect(judged).toBe(2);
    expect(server.hooks.admitted).toHaveLength(0);
    two.ingress = () => [TCP(8443)];
  });
});

describe('between the two ends', () => {
  test('a close is told and acknowledged', async () => {
    await client.closePair('00'.repeat(16), 'endpoint-gone');
    expect(server.hooks.closedPairs.splice(0)).toEqual([{ pairId: '00'.repeat(16), reason: 'endpoint-gone' }]);
  });

  test('keepalives are acknowledged', async () => {
    client.sendKeepalive(7n, 30_000);
    await until(() => clientHooks.acknowledged.includes(7n));
    expect(server.hooks.keepalives).toBe(1);
  });

  test('an inventory longer than a frame arrives whole', async () => {
    const ids = Array.from({ length: 5000 }, (_, i) => i.toString(16).padStart(32, '0'));
    client.sendInventory(ids);
    await until(() => server.hooks.inventories.flat().length === ids.length);
    expect(server.hooks.inventories.flat()).toEqual(ids);
  });
});
