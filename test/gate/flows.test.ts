import { beforeEach, describe, expect, test } from '@jest/globals';
import { SYM_FLOW_FLAG, SYM_LIMIT } from '../../bpf/gen/layout.ts';
import { TCP, tcp, udp } from './packets.ts';
import { ENDPOINT, EVERYONE, FLOW_SHARE, type PairRow, type Scene } from './scene.ts';
import {
  aLeaves,
  aToB,
  arrives,
  bLeaves,
  bToA,
  makeReady,
  NEXT,
  REDIRECT,
  refused,
  refusedTcp,
  standingPairs,
  meet as meetIn,
  type Step,
  useScene,
} from './steps.ts';

let scene: Scene;
const meet = (steps: readonly Step[]): Promise<Buffer> => meetIn(scene, steps);

useScene((made) => {
  scene = made;
});

describe.each([
  ['IPv4', 0],
  ['IPv6', 1],
] as const)('%s', (_, family) => {
  const { a, b, remote, out, back, aTcp, bUdp, rows, syn, segment, synAck, opened, accepted } = standingPairs(family);

  beforeEach(async () => {
    await makeReady(scene, rows);
  });

  test('a lapsed lease stops both directions', async () => {
    await meet([opened]);
    await scene.lease(1, false);
    await meet([
      arrives(synAck, REDIRECT, refusedTcp('DEAD_FLOW')),
      aLeaves(segment, REDIRECT, refusedTcp('DEAD_FLOW')),
      aLeaves(syn, REDIRECT, { HELD: 1 }),
      arrives(udp({ from: remote, to: b }, [4000, 5353]), REDIRECT, refused('NO_PAIR')),
    ]);
  });

  test('SVIDs that have expired end the pair before its lease', async () => {
    await scene.pair(aTcp, { notAfter: 1n });
    await meet([aLeaves(syn, REDIRECT, { HELD: 1 })]);
  });

  test('a removed pair cuts; a new epoch does not bring the old flow back', async () => {
    await meet([opened, accepted, aLeaves(segment, NEXT, { PASSED_FLOW: 1 })]);
    await scene.unpair(aTcp);
    await meet([aLeaves(segment, REDIRECT, refusedTcp('DEAD_FLOW'))]);
    await scene.pair(aTcp, { epoch: 2 });
    await meet([aLeaves(segment, REDIRECT, refusedTcp('DEAD_FLOW'))]);
  });

  test('nor does a SYN from its port, until the server has accepted it', async () => {
    const data = arrives(tcp(back, [8443, 4000], TCP.ack, Buffer.from('for the old client')), REDIRECT, refusedTcp('NO_FLOW'));
    await meet([opened, accepted]);
    await scene.pair(aTcp, { epoch: 2 });
    await meet([
      opened,
      aLeaves(segment, REDIRECT, refusedTcp('NO_FLOW')),
      data,
      // The server's old socket asks whether it is meant (RFC 5961 section 4), and the new client says that it is not.
      arrives(tcp(back, [8443, 4000], TCP.ack), NEXT, { PASSED_FLOW: 1 }),
      aLeaves(segment, REDIRECT, refusedTcp('NO_FLOW')),
      aLeaves(tcp(out, [4000, 8443], TCP.rst), NEXT, { PASSED_FLOW: 1 }),
      opened,
      accepted,
      aLeaves(segment, NEXT, { PASSED_FLOW: 1 }),
    ]);
  });

  test("the same at the server's gate", async () => {
    const hello = (from: number) => tcp({ from: remote, to: b }, [from, 8443], TCP.syn);
    const asked = tcp({ from: remote, to: b }, [4000, 8443], TCP.ack, Buffer.from('asked'));
    const answer = (flags: number, text = '') => tcp({ from: b, to: remote }, [8443, 4000], flags, Buffer.from(text));
    const row: PairRow = { ...bUdp, protocol: 6, port: 8443 };
    const acceptance = bLeaves(answer(TCP.syn | TCP.ack), NEXT, { PASSED_FLOW: 1 });
    const begun = arrives(hello(4000), NEXT, { PASSED_OPEN: 1 });
    await meet([begun, acceptance, arrives(asked, NEXT, { PASSED_FLOW: 1 })]);
    await scene.pair(row, { epoch: 2 });
    await meet([
      begun,
      arrives(asked, REDIRECT, refusedTcp('NO_FLOW')),
      bLeaves(answer(TCP.ack, 'to the old client'), REDIRECT, refusedTcp('NO_FLOW')),
      acceptance,
      arrives(asked, NEXT, { PASSED_FLOW: 1 }),
    ]);
  });

  test('a SYN within an established connection changes nothing about it', async () => {
    await meet([opened, accepted, opened, aLeaves(segment, NEXT, { PASSED_FLOW: 1 })]);
  });

  test('a reset that its receiver does not believe is forgotten when the connection goes on', async () => {
    const flow = { local: a, remote, ports: [4000, 8443] as const, protocol: 6 };
    const isReset = async () => ((await scene.flow(flow)).flags & SYM_FLOW_FLAG.RESET) !== 0;
    await meet([opened, accepted, arrives(tcp(back, [8443, 4000], TCP.rst), NEXT, { PASSED_FLOW: 1 })]);
    expect(await isReset()).toBe(true);
    await meet([aLeaves(segment, NEXT, { PASSED_FLOW: 1 })]);
    expect(await isReset()).toBe(true);
    await scene.age(flow, 2);
    await meet([aLeaves(segment, NEXT, { PASSED_FLOW: 1 })]);
    expect(await isReset()).toBe(false);
  });

  test.each([
    ['a connection', 6, 'ANSWERED', 0, 3600, true],
    ['a connection that nobody has answered', 6, 'FREE', 0, 121, false],
    ['a connection that both have closed', 6, 'LOCAL_FIN', SYM_FLOW_FLAG.REMOTE_FIN, 11, false],
    ['a connection that one has closed', 6, 'LOCAL_FIN', SYM_FLOW_FLAG.ANSWERED, 3600, true],
    ['a reset connection', 6, 'RESET', 0, 50, true],
    ['a reset connection, later', 6, 'RESET', 0, 61, false],
    ['a question', 17, 'FREE', 0, 31, false],
    ['a question and its answer', 17, 'ANSWERED', 0, 16, false],
    ['a conversation', 17, 'LASTING', SYM_FLOW_FLAG.ANSWERED, 170, true],
    ['a conversation, later', 17, 'LASTING', SYM_FLOW_FLAG.ANSWERED, 181, false],
  ] as const)('%s (protocol %i, %s, %i), %i s after its last packet: kept %s', async (_what, protocol, flag, more, seconds, isKept) => {
    const port = protocol === 6 ? 8443 : 5353;
    const flow = { local: a, remote, ports: [4000, port] as const, protocol };
    await meet([protocol === 6 ? opened : aLeaves(udp(out, [4000, 5353]), NEXT, { PASSED_OPEN: 1 })]);
    // FREE: nothing else is set.
    await scene.age(flow, seconds, flag === 'FREE' ? 0 : SYM_FLOW_FLAG[flag] | more);
    expect(await scene.gate.sweep()).toEqual(isKept ? { removed: 0, left: 1 } : { removed: 1, left: 0 });
  });

  test('a datagram flow lasts once it goes on after an answer', async () => {
    const flow = { local: a, remote, ports: [4000, 5353] as const, protocol: 17 };
    const question = aLeaves(udp(out, [4000, 5353]), NEXT, { PASSED_FLOW: 1 });
    const lasts = async () => ((await scene.flow(flow)).flags & SYM_FLOW_FLAG.LASTING) !== 0;
    await meet([
      aLeaves(udp(out, [4000, 5353]), NEXT, { PASSED_OPEN: 1 }),
      arrives(udp(back, [5353, 4000]), NEXT, { PASSED_FLOW: 1 }),
      question,
    ]);
    expect(await lasts()).toBe(false);
    await scene.age(flow, 2);
    await meet([question]);
    expect(await lasts()).toBe(true);
  });

  test('a replaced row of the same epoch keeps its flows', async () => {
    await meet([opened, accepted]);
    await scene.pair(aTcp, { epoch: 1, session: 1 });
    await meet([aLeaves(segment, NEXT, { PASSED_FLOW: 1 })]);
  });

  test('a datagram after a new epoch opens a new flow, a late reply does not', async () => {
    await meet([
      aLeaves(udp(out, [4000, 5353]), NEXT, { PASSED_OPEN: 1 }),
      arrives(udp({ from: remote, to: b }, [4000, 5353]), NEXT, { PASSED_OPEN: 1 }),
    ]);
    await scene.pair({ ...aTcp, protocol: 17, port: 5353 }, { epoch: 2 });
    await scene.pair(bUdp, { epoch: 2 });
    await meet([
      bLeaves(udp({ from: b, to: remote }, [5353, 4000]), REDIRECT, refused('DEAD_FLOW')),
      aLeaves(udp(out, [4000, 5353]), NEXT, { PASSED_OPEN: 1 }),
    ]);
  });

  test("either end's removed row cuts a same-node flow", async () => {
    const row: PairRow = { endpoint: ENDPOINT.b, local: b, remote: a, protocol: 6, role: 'SERVER', port: 8443 };
    await meet([
      aToB(tcp({ from: a, to: b }, [4000, 8443], TCP.syn), NEXT, { PASSED_OPEN: 1 }),
      bToA(tcp({ from: b, to: a }, [8443, 4000], TCP.syn | TCP.ack), NEXT, { PASSED_FLOW: 1 }),
    ]);
    await scene.unpair(row);
    await meet([
      aToB(tcp({ from: a, to: b }, [4000, 8443], TCP.ack), REDIRECT, refusedTcp('DEAD_FLOW')),
      bToA(tcp({ from: b, to: a }, [8443, 4000], TCP.ack), REDIRECT, refusedTcp('DEAD_FLOW')),
    ]);
  });

  test('an endpoint has no more than its quota of flows', async () => {
    await scene.flowsUsed(ENDPOINT.a, SYM_LIMIT.FLOW_QUOTA - 1);
    await meet([opened, aLeaves(udp(out, [4000, 5353]), REDIRECT, refused('FLOW_QUOTA')), opened]);
  });

  test('where room is short each endpoint has its share', async () => {
    const before = await scene.flowsOf(EVERYONE);
    await scene.flowsUsed(EVERYONE, SYM_LIMIT.COMMON_FLOWS);
    await scene.flowsUsed(ENDPOINT.a, FLOW_SHARE);
    try {
      await meet([
        aLeaves(udp(out, [4000, 5353]), REDIRECT, refused('FLOW_QUOTA')),
        arrives(udp({ from: remote, to: b }, [4000, 5353]), NEXT, { PASSED_OPEN: 1 }),
      ]);
    } finally {
      await scene.flowsUsed(EVERYONE, before);
    }
  });

  test('the sweeper takes dead flows, and all flows of an endpoint', async () => {
    await meet([opened, aLeaves(udp(out, [4000, 5353]), NEXT, { PASSED_OPEN: 1 })]);
    expect(await scene.gate.sweep()).toEqual({ removed: 0, left: 2 });
    await scene.unpair(aTcp);
    expect(await scene.gate.sweep()).toEqual({ removed: 1, left: 1 });
    expect(await scene.gate.sweep(ENDPOINT.b)).toEqual({ removed: 0, left: 1 });
    await scene.pair(aTcp);
    await meet([opened]);
    expect(await scene.flowsOf(ENDPOINT.a)).toBe(2);
    expect(await scene.gate.sweep(ENDPOINT.a)).toEqual({ removed: 2, left: 0 });
    expect(await scene.flowsOf(ENDPOINT.a)).toBe(0);
  });
});
