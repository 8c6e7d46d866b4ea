import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { TEST_NOW, TestCa, type TestCertificate } from '#core/spiffe/testing/ca';
import { addMs } from '#core/time/instant';
import { Verdict } from '#proto/gen/symbolon/agent/session';
import type { Credential } from '../proof/contract.ts';
import { type StartedPair, startPair } from '../proof/initiate.ts';
import { dialAs, listenAs, type ListeningNode, tcpFlow } from './testing/links.ts';
import { RawPeer } from './testing/raw-peer.ts';
import { linkNodes, TestNode } from './testing/test-node.ts';

const HOUR = 3_600_000;
const FLOW = tcpFlow('10.1.0.2', '10.2.0.2', 8443);

let ca: TestCa;
let one: TestNode;
let two: TestNode;
let three: TestNode;
let server: ListeningNode;
let web: Credential;

beforeAll(async () => {
  ca = await TestCa.create();
  [one, two, three] = [await TestNode.create(ca, 'one'), await TestNode.create(ca, 'two'), await TestNode.create(ca, 'three')];
  linkNodes([one, two, three]);
  await two.addWorkload(ca, '10.2.0.2', '/payments');
  server = await listenAs(two);
});
beforeEach(async () => {
  web = await one.addWorkload(ca, '10.1.0.2', '/web');
  server.hooks.admitted.length = 0;
});
afterAll(() => server.listener.close());

async function start(peer: RawPeer): Promise<StartedPair> {
  return startPair(peer.exchange, await peer.credit(), FLOW);
}
/** Sends a request as it is and returns the verdict. */
async function ask(peer: RawPeer, request: StartedPair['request']): Promise<Verdict | 'session closed'> {
  peer.send({ $case: 'pairRequest', value: { id: 1n, ...request } });
  return (await peer.response())?.verdict ?? 'session closed';
}

describe('an authenticator', () => {
  test('as it should be is accepted (so the rest of these mean something)', async () => {
    const peer = await RawPeer.open(one, server);
    expect(await ask(peer, (await start(peer)).request)).toBe(Verdict.VERDICT_ACCEPTED);
    peer.socket.destroy();
  });

  test('is not accepted twice', async () => {
    const peer = await RawPeer.open(one, server);
    const { request } = await start(peer);
    expect([await ask(peer, request), await ask(peer, request)]).toEqual([Verdict.VERDICT_ACCEPTED, Verdict.VERDICT_NO_CREDIT]);
    expect(server.hooks.admitted).toHaveLength(1);
    peer.socket.destroy();
  });

  test('of another session is not accepted, even for a credit with the same context', async () => {
    const [a, b] = [await RawPeer.open(one, server), await RawPeer.open(one, server)];
    const credit = await b.credit();
    // Signed with session a's secrets over a credit that session b has issued.
    const { request } = await startPair({ ...b.exchange, secrets: a.exchange.secrets }, credit, FLOW);
    expect(await ask(b, request)).toBe(Verdict.VERDICT_BAD_AUTHENTICATOR);
    expect(server.hooks.admitted).toHaveLength(0);
    a.socket.destroy();
    b.socket.destroy();
  });

  test('does not carry another request’s terms, nor another demand', async () => {
    const peer = await RawPeer.open(one, server);
    const [a, b] = [await start(peer), await startPair(peer.exchange, await peer.credit(), tcpFlow('10.1.0.2', '10.2.0.2', 22))];
    expect(await ask(peer, { ...a.request, terms: b.request.terms })).toBe(Verdict.VERDICT_BAD_AUTHENTICATOR);
    const [c, d] = [await start(peer), await start(peer)];
    expect(await ask(peer, { ...c.request, authenticatorRequest: d.request.authenticatorRequest })).toBe(Verdict.VERDICT_BAD_AUTHENTICATOR);
    expect(server.hooks.admitted).toHaveLength(0);
    peer.socket.destroy();
  });

  test('with any byte of its request flipped is refused', async () => {
    const peer = await RawPeer.open(one, server);
    for (const field of ['terms', 'authenticator', 'authenticatorRequest'] as const) {
      // Signatures differ in length by some bytes: the end is where this request has it.
      for (let at = 0, length = 1; at < length; at++) {
        const { request } = await start(peer);
        const bytes = Buffer.from(request[field]);
        ({ length } = bytes);
        if (at >= length) break;
        bytes.writeUInt8(bytes.readUInt8(at) ^ 0x01, at);
        const verdict = await ask(peer, { ...request, [field]: bytes });
        const isRefusal = verdict !== 'session closed' && verdict !== Verdict.VERDICT_ACCEPTED;
        if (!isRefusal || server.hooks.admitted.length > 0) throw new Error(`byte ${at} of ${field} does not count: ${verdict}`);
      }
    }
    peer.socket.destroy();
  }, 60_000);
});

describe('an SVID', () => {
  test('and key of a workload used from a node that it was not issued to is refused', async () => {
    three.workloads.set('10.1.0.2', web);
    expect(await (await dialAs(three, server)).session.authenticate(FLOW)).toMatchObject({ reason: 'not-placed' });
    three.workloads.delete('10.1.0.2');
    // Nor with an address of that node's own.
    three.workloads.set('10.3.0.2', web);
    expect(await (await dialAs(three, server)).session.authenticate(tcpFlow('10.3.0.2', '10.2.0.2', 8443))).toMatchObject({
      reason: 'not-placed',
    });
  });

  test('of the node’s own workload speaks for no address of another node', async () => {
    one.workloads.set('10.3.0.7', web);
    expect(await (await dialAs(one, server)).session.authenticate(tcpFlow('10.3.0.7', '10.2.0.2', 8443))).toMatchObject({
      reason: 'not-placed',
    });
  });

  test.each<[string, TestCertificate, string]>([
    ['that has expired', { notBefore: addMs(TEST_NOW, -HOUR / 2), notAfter: addMs(TEST_NOW, -HOUR / 3) }, 'svid-refused'],
    ['that is not yet valid', { notBefore: addMs(TEST_NOW, HOUR), notAfter: addMs(TEST_NOW, 2 * HOUR) }, 'svid-refused'],
  ])('%s is refused', async (_name, fields, reason) => {
    await one.addWorkload(ca, '10.1.0.2', '/web', fields);
    expect(await (await dialAs(one, server)).session.authenticate(FLOW)).toMatchObject({ reason });
  });

  test('that the CA of another trust domain minted for our workload is refused', async () => {
    const foreign = await TestCa.create('west.example');
    const minted = await foreign.issueWorkload('/web', 'one', { uris: [web.svid.id], issuedToNode: one.id });
    one.workloads.set('10.1.0.2', { svid: { ...web.svid, chain: minted.chain }, privateKey: minted.privateKey });
    two.bundles = new Map([...ca.bundles, ...foreign.bundles]);
    expect(await (await dialAs(one, server)).session.authenticate(FLOW)).toMatchObject({ reason: 'svid-refused' });
    two.bundles = ca.bundles;
  });

  test('without its key proves nothing', async () => {
    const other = await ca.issueWorkload('/other', 'one');
    one.workloads.set('10.1.0.2', { svid: web.svid, privateKey: other.privateKey });
    expect(await (await dialAs(one, server)).session.authenticate(FLOW)).toMatchObject({ reason: 'bad-authenticator' });
  });

  test('of a responder that was issued to another node is refused by the initiator, and the responder told', async () => {
    const stolen = await ca.issueWorkload('/payments', 'three');
    const own = two.workloads.get('10.2.0.2');
    two.workloads.set('10.2.0.2', { svid: stolen.verified(), privateKey: stolen.privateKey });
    expect(await (await dialAs(one, server)).session.authenticate(FLOW)).toMatchObject({ reason: 'not-placed' });
    if (own) two.workloads.set('10.2.0.2', own);
  });
});

describe('bytes that mean nothing', () => {
  const length = (n: number): Buffer => {
    const b = Buffer.alloc(4);
    b.writeUInt32BE(n);
    return b;
  };
  test.each<[string, Buffer]>([
    ['no protobuf', Buffer.concat([length(3), Buffer.from([0xff, 0xff, 0xff])])],
    ['an empty frame', length(0)],
    ['a frame of 100 MB', length(100_000_000)],
    ['an unknown message', Buffer.concat([length(3), Buffer.from([0xfa, 0x01, 0x00])])],
    ['a credit that is none', Buffer.concat([length(7), Buffer.from([0x0a, 0x05, 0x12, 0x03, 1, 2, 3])])],
  ])('%s close that session and no other', async (_name, bytes) => {
    const { session } = await dialAs(one, server);
    const peer = await RawPeer.open(one, server);
    await peer.credit();
    peer.sendBytes(bytes);
    expect(await peer.response()).toBeUndefined();
    expect(await session.authenticate(FLOW)).toMatchObject({ verdict: 'accepted' });
    session.close();
  });
});
