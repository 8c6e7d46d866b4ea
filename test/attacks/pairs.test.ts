import crypto, { createHash } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Grant } from '#core/policy/model';
import { TestCa } from '#core/spiffe/testing/ca';
import { Verdict } from '#proto/gen/symbolon/agent/session';
import type { PairOutcome } from '../../agent/proof/contract.ts';
import { startPair } from '../../agent/proof/initiate.ts';
import { ContextLedger } from '../../agent/proof/ledger.ts';
import { dialAs, listenAs, type ListeningNode, tcpFlow } from '../../agent/session/testing/links.ts';
import { RawPeer } from '../../agent/session/testing/raw-peer.ts';
import { linkNodes, TestNode } from '../../agent/session/testing/test-node.ts';

// Attacks on the proof of a pair; agent/session/pair-attacks.test.ts tries them in more shapes. Each is seen to work with one check replaced.

const FLOW = tcpFlow('10.1.0.2', '10.2.0.2', 8443);
const ALL_TCP: readonly Grant[] = [{ protocol: 6, lowPort: 1, highPort: 65_535 }];
const DIGEST_BYTES = 32;
const acceptAll = () => ({ verdict: 'accepted', grants: ALL_TCP }) as const;

let ca: TestCa;
let one: TestNode;
let two: TestNode;
let server: ListeningNode;
let peers: RawPeer[] = [];

beforeAll(async () => {
  ca = await TestCa.create();
});
beforeEach(async () => {
  [one, two] = [await TestNode.create(ca, 'one'), await TestNode.create(ca, 'two')];
  linkNodes([one, two, await TestNode.create(ca, 'three')]);
  await one.addWorkload(ca, '10.1.0.2', '/web');
  await two.addWorkload(ca, '10.2.0.2', '/payments');
  server = await listenAs(two);
});
afterEach(async () => {
  jest.restoreAllMocks();
  for (const peer of peers.splice(0)) peer.socket.destroy();
  await server.listener.close();
});

async function open(): Promise<RawPeer> {
  const peer = await RawPeer.open(one, server);
  peers = [...peers, peer];
  return peer;
}
type Request = Awaited<ReturnType<typeof startPair>>['request'];
async function ask(peer: RawPeer, request: Request): Promise<Verdict | undefined> {
  peer.send({ $case: 'pairRequest', value: { id: 1n, ...request } });
  return (await peer.response())?.verdict;
}
/** Asks node two over a session of node one. */
async function attempt(flow = FLOW): Promise<PairOutcome> {
  const { session } = await dialAs(one, server);
  const outcome = await session.authenticate(flow);
  session.close();
  return outcome;
}

describe('an authenticator that was accepted, sent again', () => {
  const twice = async (): Promise<(Verdict | undefined)[]> => {
    const peer = await open();
    const { request } = await startPair(peer.exchange, await peer.credit(), FLOW);
    return [await ask(peer, request), await ask(peer, request)];
  };

  test('is refused', async () => {
    expect(await twice()).toEqual([Verdict.VERDICT_ACCEPTED, Verdict.VERDICT_NO_CREDIT]);
    expect(server.hooks.admitted).toHaveLength(1);
  });

  test('would make a second pair if requests could be answered twice', async () => {
    const real: Pick<ContextLedger, 'take'> = { take: Reflect.get(ContextLedger.prototype, 'take') };
    const kept = new Map<string, ReturnType<ContextLedger['take']>>();
    jest.spyOn(ContextLedger.prototype, 'take').mockImplementation(function (this: ContextLedger, kind, context) {
      const key = `${kind} ${Buffer.from(context).toString('hex')}`;
      const found = real.take.call(this, kind, context) ?? kept.get(key);
      kept.set(key, found);
      return found;
    });
    jest.spyOn(ContextLedger.prototype, 'claim').mockImplementation(() => undefined);
    expect(await twice()).toEqual([Verdict.VERDICT_ACCEPTED, Verdict.VERDICT_ACCEPTED]);
    expect(server.hooks.admitted).toHaveLength(2);
  });
});

describe("an authenticator made with another connection's secrets", () => {
  const crossed = async (): Promise<Verdict | undefined> => {
    const [a, b] = [await open(), await open()];
    const { request } = await startPair({ ...b.exchange, secrets: a.exchange.secrets }, await b.credit(), FLOW);
    return ask(b, request);
  };

  test('is refused', async () => {
    expect(await crossed()).toBe(Verdict.VERDICT_BAD_AUTHENTICATOR);
    expect(server.hooks.admitted).toHaveLength(0);
  });

  test('would be accepted if the secrets were the same for all connections', async () => {
    jest
      .spyOn(TLSSocket.prototype, 'exportKeyingMaterial')
      .mockImplementation((length, label) => createHash('sha512').update(label).digest().subarray(0, length));
    expect(await crossed()).toBe(Verdict.VERDICT_ACCEPTED);
    expect(server.hooks.admitted).toHaveLength(1);
  });
});

describe("another request's terms under an authenticator", () => {
  const spliced = async (): Promise<Verdict | undefined> => {
    const peer = await open();
    const { request } = await startPair(peer.exchange, await peer.credit(), FLOW);
    const other = await startPair(peer.exchange, await peer.credit(), tcpFlow('10.1.0.2', '10.2.0.2', 22));
    return ask(peer, { ...request, terms: other.request.terms });
  };

  test('are refused', async () => {
    expect(await spliced()).toBe(Verdict.VERDICT_BAD_AUTHENTICATOR);
    expect(server.hooks.admitted).toHaveLength(0);
  });

  test('would be believed if it did not bind them', async () => {
    // Bindings are SHA-256 digests, compared at two places: the demand's, and the one in the authenticator.
    const { equals } = Buffer.prototype;
    jest.spyOn(Buffer.prototype, 'equals').mockImplementation(function (this: Buffer, other) {
      return this.length === DIGEST_BYTES || equals.call(this, other);
    });
    jest.spyOn(crypto, 'timingSafeEqual').mockReturnValue(true);
    expect(await spliced()).toBe(Verdict.VERDICT_ACCEPTED);
    expect(server.hooks.admitted[0]?.flow.servicePort).toBe(22);
  });
});

describe("an address of another node, with an SVID of the node's own workload", () => {
  const flow = tcpFlow('10.3.0.7', '10.2.0.2', 8443);
  beforeEach(() => {
    const web = one.workloads.get('10.1.0.2');
    if (web) one.workloads.set('10.3.0.7', web);
  });

  test('is refused', async () => {
    expect(await attempt(flow)).toMatchObject({ reason: 'not-placed' });
    expect(server.hooks.admitted).toHaveLength(0);
  });

  test('would be believed without the check of placement', async () => {
    two.judge = acceptAll;
    expect(await attempt(flow)).toMatchObject({ verdict: 'accepted' });
    expect(server.hooks.admitted[0]?.flow.source.text).toBe('10.3.0.7');
  });
});

describe('an SVID without its key', () => {
  let stolen: Awaited<ReturnType<TestCa['issueWorkload']>>;
  beforeEach(async () => {
    stolen = await ca.issueWorkload('/payroll', 'one');
    const own = one.workloads.get('10.1.0.2');
    if (own) one.workloads.set('10.1.0.2', { svid: stolen.verified(), privateKey: own.privateKey });
  });

  test('proves nothing', async () => {
    expect(await attempt()).toMatchObject({ reason: 'bad-authenticator' });
    expect(server.hooks.admitted).toHaveLength(0);
  });

  test('would, if the signature were checked by a key other than the one in the SVID', async () => {
    const verify = two.verifySvid.bind(two);
    const { publicKey } = (await one.addWorkload(ca, '10.1.0.3', '/web')).svid;
    const { privateKey } = one.workloads.get('10.1.0.3') ?? {};
    if (privateKey) one.workloads.set('10.1.0.2', { svid: stolen.verified(), privateKey });
    two.verifySvid = (chain) => {
      const svid = verify(chain);
      return svid.id === stolen.id ? { ...svid, publicKey } : svid;
    };
    expect(await attempt()).toMatchObject({ verdict: 'accepted' });
    expect(server.hooks.admitted[0]?.peer.id).toBe('spiffe://east.example/payroll');
  });
});

describe("a responder with another node's SVID", () => {
  beforeEach(async () => {
    const stolen = await ca.issueWorkload('/payments', 'three');
    two.workloads.set('10.2.0.2', { svid: stolen.verified(), privateKey: stolen.privateKey });
  });

  test('is refused by the initiator', async () => {
    expect(await attempt()).toMatchObject({ reason: 'not-placed' });
  });

  test('would be believed without the check of placement', async () => {
    one.judge = acceptAll;
    expect(await attempt()).toMatchObject({ verdict: 'accepted', peer: { id: 'spiffe://east.example/payments' } });
  });
});
