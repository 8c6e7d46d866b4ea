import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { checksumsAreRight, echo, frame, icmp, icmpError, ip, type PacketSpec, TCP, tcp, udp } from './packets.ts';
import { SYM_FLOW_FLAG, SYM_LIMIT } from '../../bpf/gen/layout.ts';
import { ADDRESS, AGENT_PORT, ENDPOINT, EVERYONE, FLOW_SHARE, type PairRow, Scene } from './scene.ts';

const NEXT = -1;
const DROP = 2;
const REDIRECT = 7;

/** Where a program sits, and by which interface the packet had come: `node` = from a local process. */
type Place = 'up' | 'a' | 'b' | 'tap' | 'node' | 'elsewhere';

/** A packet meets a program: the verdict and the one counter that names it (besides answers). */
interface Step {
  readonly program: string;
  readonly at: Exclude<Place, 'node' | 'elsewhere'>;
  readonly from: Place;
  readonly packet: Buffer;
  readonly verdict: number;
  readonly counts: Readonly<Record<string, number>>;
}

let scene: Scene;

const at = (program: string, on: Step['at'], fromWhere: Place) => (packet: Buffer, verdict: number, counts: Step['counts']) =>
  ({ program, at: on, from: fromWhere, packet, verdict, counts }) satisfies Step;
const aSends = at('sym_wl_in', 'a', 'a');
const aLeaves = at('sym_up_out', 'up', 'a');
const bLeaves = at('sym_up_out', 'up', 'b');
const arrives = at('sym_up_in', 'up', 'up');
const aToB = at('sym_wl_out', 'b', 'a');
const bToA = at('sym_wl_out', 'a', 'b');
const nodeToA = at('sym_wl_out', 'a', 'node');

beforeAll(async () => {
  scene = await Scene.create();
}, 60_000);
afterAll(async () => scene?.close());

async function meet(steps: readonly Step[]): Promise<Buffer> {
  let last: Buffer = Buffer.alloc(0);
  for (const [i, step] of steps.entries()) {
    const indices: Readonly<Record<Place, number>> = { ...scene.index, node: 0, elsewhere: 1 };
    const seen = await scene.gate.counted(async () => {
      const { verdict, packet } = await scene.gate.run(step.program, step.packet, {
        interface: indices[step.at],
        from: indices[step.from],
      });
      last = packet;
      expect({ step: i, verdict }).toEqual({ step: i, verdict: step.verdict });
    });
    expect({ step: i, ...seen }).toEqual({ step: i, ...step.counts });
  }
  return last;
}

const refusedTcp = (reason: string) => ({ [reason]: 1, SENT_RST: 1 });
const refused = (reason: string) => ({ [reason]: 1, SENT_ICMP: 1 });

describe.each([
  ['IPv4', 0, 1],
  ['IPv6', 1, 58],
] as const)('%s', (_, family, icmpNumber) => {
  const a = ADDRESS.a[family];
  const b = ADDRESS.b[family];
  const remote = ADDRESS.remote[family];
  const out = { from: a, to: remote };
  const back = { from: remote, to: a };
  const aTcp: PairRow = { endpoint: ENDPOINT.a, local: a, remote, protocol: 6, role: 'CLIENT', port: 8443 };
  const bUdp: PairRow = { endpoint: ENDPOINT.b, local: b, remote, protocol: 17, role: 'SERVER', port: 5353 };
  const standing: readonly PairRow[] = [
    aTcp,
    { ...aTcp, protocol: 17, port: 5353 },
    { ...aTcp, protocol: icmpNumber, port: 0 },
    bUdp,
    { ...bUdp, protocol: 6, port: 8443 },
    { ...bUdp, protocol: icmpNumber, port: 0 },
    { ...aTcp, remote: b },
    { endpoint: ENDPOINT.b, local: b, remote: a, protocol: 6, role: 'SERVER', port: 8443 },
  ];
  const syn = tcp(out, [4000, 8443], TCP.syn);
  const segment = tcp(out, [4000, 8443], TCP.ack, Buffer.from('hello'));
  const synAck = tcp(back, [8443, 4000], TCP.syn | TCP.ack);
  const opened = aLeaves(syn, NEXT, { PASSED_OPEN: 1 });
  const accepted = arrives(synAck, NEXT, { PASSED_FLOW: 1 });

  beforeEach(async () => {
    await scene.lease(1, true);
    await scene.heartbeat(true);
    await scene.mode('a', 'ALL');
    for (const row of standing) await scene.pair(row);
    await scene.gate.sweep(ENDPOINT.a);
    await scene.gate.sweep(ENDPOINT.b);
  });

  test.each<[string, () => readonly Step[]]>([
    // a client's flow
    [
      'SYN, SYN-ACK and data of a live pair pass',
      () => [opened, arrives(synAck, NEXT, { PASSED_FLOW: 1 }), aLeaves(segment, NEXT, { PASSED_FLOW: 1 })],
    ],
    ['the workload sends from its own address', () => [aSends(syn, NEXT, {}), opened, aSends(segment, NEXT, {})]],
    ['data without a flow is answered with a reset', () => [aLeaves(segment, REDIRECT, refusedTcp('NO_FLOW'))]],
    ['a port that no row names is held', () => [aLeaves(tcp(out, [4000, 22], TCP.syn), REDIRECT, { HELD: 1 })]],
    [
      'a destination in no directory is refused',
      () => [aLeaves(tcp({ from: a, to: ADDRESS.outside[family] }, [4000, 8443], TCP.syn), REDIRECT, refusedTcp('NOT_IN_DIRECTORY'))],
    ],
    [
      'a datagram opens a flow, its reply comes back, the second needs no opening',
      () => [
        aLeaves(udp(out, [4000, 5353]), NEXT, { PASSED_OPEN: 1 }),
        arrives(udp(back, [5353, 4000]), NEXT, { PASSED_FLOW: 1 }),
        aLeaves(udp(out, [4000, 5353]), NEXT, { PASSED_FLOW: 1 }),
      ],
    ],
    [
      'a datagram from the server to another port of its client is refused',
      () => [aLeaves(udp(out, [4000, 5353]), NEXT, { PASSED_OPEN: 1 }), arrives(udp(back, [5353, 4001]), REDIRECT, refused('NO_PAIR'))],
    ],
    [
      'echo passes with its reply, not with another identifier',
      () => [
        aLeaves(echo(out, 'request', 7), NEXT, { PASSED_OPEN: 1 }),
        arrives(echo(back, 'reply', 7), NEXT, { PASSED_FLOW: 1 }),
        arrives(echo(back, 'reply', 8), DROP, { NO_FLOW: 1 }),
      ],
    ],
    // a server's flow
    [
      'a client that may, and its replies',
      () => [
        arrives(tcp({ from: remote, to: b }, [4000, 8443], TCP.syn), NEXT, { PASSED_OPEN: 1 }),
        bLeaves(tcp({ from: b, to: remote }, [8443, 4000], TCP.syn | TCP.ack), NEXT, { PASSED_FLOW: 1 }),
      ],
    ],
    [
      'a client is told at once that it may not',
      () => [arrives(tcp({ from: remote, to: a }, [4000, 8443], TCP.syn), REDIRECT, refusedTcp('NO_PAIR'))],
    ],
    [
      'a server that turns into a client has to be authenticated for it',
      () => [
        arrives(udp({ from: remote, to: b }, [4000, 5353]), NEXT, { PASSED_OPEN: 1 }),
        bLeaves(tcp({ from: b, to: remote }, [5353, 4000], TCP.syn), REDIRECT, { HELD: 1 }),
        bLeaves(udp({ from: b, to: remote }, [5353, 4001]), REDIRECT, { HELD: 1 }),
      ],
    ],
    [
      'an unasked reply of a server: SYN-ACK without flow',
      () => [bLeaves(tcp({ from: b, to: remote }, [8443, 4000], TCP.syn | TCP.ack), REDIRECT, refusedTcp('NO_FLOW'))],
    ],
    [
      'two hosts ping each other with the same identifier',
      () => [
        arrives(echo({ from: remote, to: b }, 'request', 7), NEXT, { PASSED_OPEN: 1 }),
        bLeaves(echo({ from: b, to: remote }, 'request', 7), REDIRECT, { HELD: 1 }),
        bLeaves(echo({ from: b, to: remote }, 'reply', 7), NEXT, { PASSED_FLOW: 1 }),
      ],
    ],
    // whose packet
    ["a neighbour's address", () => [aSends(udp({ from: b, to: remote }, [1, 5353]), DROP, { SPOOFED_SOURCE: 1 })]],
    ["the node's address", () => [aSends(udp({ from: ADDRESS.node[family], to: remote }, [1, 5353]), DROP, { SPOOFED_SOURCE: 1 })]],
    ["the remote workload's address", () => [aSends(udp({ from: remote, to: b }, [4000, 5353]), DROP, { SPOOFED_SOURCE: 1 })]],
    [
      "our workload's address from the uplink",
      () => [arrives(tcp({ from: a, to: b }, [4000, 8443], TCP.syn), DROP, { SPOOFED_SOURCE: 1 })],
    ],
    [
      'a segment of a same-node flow from the uplink',
      () => [
        aToB(tcp({ from: a, to: b }, [4000, 8443], TCP.syn), NEXT, { PASSED_OPEN: 1 }),
        arrives(tcp({ from: a, to: b }, [4000, 8443], TCP.ack), DROP, { SPOOFED_SOURCE: 1 }),
      ],
    ],
    ["a local process that forges a workload's address", () => [at('sym_up_out', 'up', 'node')(syn, DROP, { FORGED_BY_NODE: 1 })]],
    ["another workload's flow", () => [opened, bLeaves(segment, DROP, { SPOOFED_SOURCE: 1 })]],
    [
      'a packet that was masqueraded',
      () => [aLeaves(udp({ from: ADDRESS.node[family], to: remote }, [4000, 5353]), DROP, { TRANSLATED: 1 })],
    ],
    [
      'an interface without gate',
      () => [
        at('sym_up_out', 'up', 'elsewhere')(udp({ from: ADDRESS.unowned[family], to: remote }, [1, 5353]), DROP, { UNKNOWN_INTERFACE: 1 }),
      ],
    ],
    [
      "an interface without gate, with the address of another node's workload",
      () => [
        at('sym_up_out', 'up', 'elsewhere')(udp({ from: remote, to: ADDRESS.outside[family] }, [1, 53]), DROP, { UNKNOWN_INTERFACE: 1 }),
      ],
    ],
    [
      'to where no gate is on the way',
      () => [
        aSends(udp({ from: a, to: ADDRESS.ungated[family] }, [4000, 53]), REDIRECT, refused('NO_GATE')),
        aSends(udp({ from: a, to: ADDRESS.newborn[family] }, [4000, 53]), DROP, { NO_GATE: 1 }),
        aSends(udp({ from: a, to: ADDRESS.outside[family] }, [4000, 53]), NEXT, {}),
      ],
    ],
    [
      'an address in our prefix that nobody owns',
      () => [arrives(udp({ from: remote, to: ADDRESS.unowned[family] }, [1, 5353]), DROP, { UNATTESTED: 1 })],
    ],
    [
      "the node's own traffic is left alone",
      () => [
        at('sym_up_out', 'up', 'node')(udp({ from: ADDRESS.node[family], to: ADDRESS.router[family] }, [1, 53]), NEXT, {}),
        arrives(udp({ from: ADDRESS.router[family], to: ADDRESS.node[family] }, [53, 1]), NEXT, {}),
      ],
    ],
    [
      "the agent's port is for agents",
      () => [
        arrives(tcp({ from: remote, to: ADDRESS.node[family] }, [4000, AGENT_PORT], TCP.syn), DROP, { NOT_A_PEER: 1 }),
        arrives(tcp({ from: remote, to: ADDRESS.node[family] }, [4000, AGENT_PORT + 1], TCP.syn), NEXT, {}),
      ],
    ],
    [
      'to a workload of this node that has just gone',
      () => [aLeaves(tcp({ from: a, to: b }, [4000, 8443], TCP.syn), DROP, { UNATTESTED: 1 })],
    ],
    // the node and the workload
    [
      'a workload to the node',
      () => [aSends(tcp({ from: a, to: ADDRESS.node[family] }, [4000, 22], TCP.syn), REDIRECT, refusedTcp('NODE_DESTINATION'))],
    ],
    ['the node to a workload', () => [nodeToA(tcp({ from: ADDRESS.node[family], to: a }, [4000, 8443], TCP.syn), DROP, { FROM_NODE: 1 })]],
    [
      'an interface without gate to a workload',
      () => [at('sym_wl_out', 'a', 'elsewhere')(udp(back, [5353, 4000]), DROP, { UNKNOWN_INTERFACE: 1 })],
    ],
    // one node
    [
      'two workloads of one node',
      () => [
        aToB(tcp({ from: a, to: b }, [4000, 8443], TCP.syn), NEXT, { PASSED_OPEN: 1 }),
        bToA(tcp({ from: b, to: a }, [8443, 4000], TCP.syn | TCP.ack), NEXT, { PASSED_FLOW: 1 }),
        aToB(tcp({ from: a, to: b }, [4000, 8443], TCP.ack), NEXT, { PASSED_FLOW: 1 }),
        bToA(tcp({ from: b, to: a }, [4000, 8443], TCP.syn), REDIRECT, { HELD: 1 }),
      ],
    ],
    [
      "what was translated after the uplink's gate meets the workload's own",
      () => [at('sym_wl_out', 'a', 'up')(tcp(back, [4000, 8443], TCP.syn), DROP, { NO_PAIR: 1 })],
    ],
    [
      'a frame that came back to its own interface',
      () => [
        at('sym_wl_out', 'a', 'a')(tcp(back, [8443, 4000], TCP.rst), NEXT, {}),
        at('sym_wl_out', 'a', 'a')(udp(back, [5353, 4000]), DROP, { NOT_HAIRPIN: 1 }),
      ],
    ],
    // ICMP
    [
      'an error of any router about a live flow',
      () => [opened, arrives(icmpError({ from: ADDRESS.outside[family], to: a }, syn, 'too big'), NEXT, { PASSED_OTHER: 1 })],
    ],
    ['an error about no flow', () => [arrives(icmpError({ from: remote, to: a }, syn, 'unreachable'), DROP, { ICMP_UNRELATED: 1 })]],
    [
      "an error about somebody else's flow",
      () => [opened, arrives(icmpError({ from: remote, to: b }, syn, 'unreachable'), DROP, { ICMP_UNRELATED: 1 })],
    ],
    [
      "a workload's own error about what it got",
      () => [
        arrives(udp({ from: remote, to: b }, [4000, 5353]), NEXT, { PASSED_OPEN: 1 }),
        bLeaves(icmpError({ from: b, to: remote }, udp({ from: remote, to: b }, [4000, 5353]), 'unreachable'), NEXT, { PASSED_OTHER: 1 }),
      ],
    ],
    [
      'the node tells of a smaller MTU, before any flow',
      () => [
        nodeToA(icmpError({ from: ADDRESS.node[family], to: a }, udp(out, [4000, 9999]), 'too big'), NEXT, { PASSED_OTHER: 1 }),
        nodeToA(icmpError({ from: ADDRESS.node[family], to: a }, udp({ from: b, to: remote }, [4000, 9999]), 'too big'), DROP, {
          FROM_NODE: 1,
        }),
      ],
    ],
    ['a redirect', () => [opened, arrives(icmpError({ from: ADDRESS.router[family], to: a }, syn, 'redirect'), DROP, { ICMP_TYPE: 1 })]],
    // shapes
    [
      'other protocols need both directions',
      () => [aLeaves(ip(out, 47, Buffer.alloc(16)), REDIRECT, { HELD: 1 }), arrives(ip(back, 47, Buffer.alloc(16)), DROP, { NO_PAIR: 1 })],
    ],
    ['an EtherType that nobody knows', () => [aSends(frame(0x88b5), DROP, { ETHERTYPE: 1 })]],
    ['a VLAN tag', () => [aSends(frame(0x8100), DROP, { VLAN: 1 })]],
    ['ARP', () => [aSends(frame(0x0806), NEXT, {})]],
  ])('%s', async (_name, steps) => {
    await meet(steps());
  });

  test('a reset answers the segment, with right checksums', async () => {
    const reset = await meet([aLeaves(segment, REDIRECT, refusedTcp('NO_FLOW'))]);
    const transport = reset.subarray(14 + (family ? 40 : 20));
    expect({ flags: transport[13], from: transport.readUInt16BE(0), sequence: transport.readUInt32BE(4) }).toEqual({
      flags: TCP.rst,
      from: 8443,
      sequence: 2000,
    });
    expect(checksumsAreRight(reset)).toBe(true);
  });

  test('a reset of a SYN acknowledges it', async () => {
    const reset = await meet([arrives(tcp(back, [4000, 22], TCP.syn), REDIRECT, refusedTcp('NO_PAIR'))]);
    const transport = reset.subarray(14 + (family ? 40 : 20));
    expect({ flags: transport[13], acknowledged: transport.readUInt32BE(8) }).toEqual({ flags: TCP.rst | TCP.ack, acknowledged: 1001 });
    expect(checksumsAreRight(reset)).toBe(true);
  });

  test('an ICMP error answers the datagram and quotes it', async () => {
    const datagram = udp(back, [5353, 4000]);
    const error = await meet([arrives(datagram, REDIRECT, refused('NO_PAIR'))]);
    expect(checksumsAreRight(error)).toBe(true);
    expect(error.subarray(14 + (family ? 40 : 20))[1]).toBe(family ? 1 : 13);
    expect(error.includes(datagram.subarray(14, 14 + (family ? 48 : 28)))).toBe(true);
  });

  test('without heartbeat nothing is held', async () => {
    await scene.heartbeat(false);
    await meet([aLeaves(tcp(out, [4000, 22], TCP.syn), REDIRECT, refusedTcp('NO_AGENT')), opened]);
  });

  test('a denied flow is refused', async () => {
    await scene.deny({ ...aTcp, port: 23 });
    await meet([aLeaves(tcp(out, [4000, 23], TCP.syn), REDIRECT, refusedTcp('DENIED'))]);
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

  test('ranges: both ends of them, and no port beside', async () => {
    await scene.pair(
      { ...aTcp, port: 0 },
      {
        ranges: [
          [80, 80],
          [9000, 9010],
        ],
      },
    );
    const to = (port: number) => tcp(out, [4000, port], TCP.syn);
    await meet([
      aLeaves(to(9000), NEXT, { PASSED_OPEN: 1 }),
      arrives(tcp(back, [9000, 4000], TCP.syn | TCP.ack), NEXT, { PASSED_FLOW: 1 }),
      aLeaves(tcp(out, [4000, 9000], TCP.ack), NEXT, { PASSED_FLOW: 1 }),
      aLeaves(to(9010), NEXT, { PASSED_OPEN: 1 }),
      aLeaves(to(80), NEXT, { PASSED_OPEN: 1 }),
      aLeaves(to(8999), REDIRECT, { HELD: 1 }),
      aLeaves(to(9011), REDIRECT, { HELD: 1 }),
      aLeaves(to(0), REDIRECT, { HELD: 1 }),
    ]);
    await scene.unpair({ ...aTcp, port: 0 });
  });

  test('while a pair flushes, newer packets queue behind the held ones; a frame from the TAP passes', async () => {
    await scene.pair(aTcp, { state: 'FLUSHING' });
    const held = await meet([aLeaves(syn, REDIRECT, { HELD: 1 })]);
    expect(held.readUInt32LE(6)).toBe(ENDPOINT.a);
    expect(held.readUInt16LE(10)).toBe(scene.index.up);
    await meet([at('sym_up_out', 'up', 'tap')(held, NEXT, { PASSED_OPEN: 1 }), accepted, aLeaves(segment, REDIRECT, { HELD: 1 })]);
  });

  test("a frame from the TAP needs its owner's cookie, and is not held again", async () => {
    const unpaired = await meet([aLeaves(tcp(out, [4000, 22], TCP.syn), REDIRECT, { HELD: 1 })]);
    const cookie = (endpoint: number, gate: number) => {
      const copy = Buffer.from(unpaired);
      copy.writeUInt32LE(endpoint, 6);
      copy.writeUInt16LE(gate, 10);
      return copy;
    };
    const returns = at('sym_up_out', 'up', 'tap');
    await meet([
      returns(unpaired, REDIRECT, refusedTcp('NO_PAIR')),
      returns(cookie(ENDPOINT.b, scene.index.up), DROP, { COOKIE: 1 }),
      returns(cookie(ENDPOINT.a, scene.index.b), DROP, { COOKIE: 1 }),
      returns(frame(0x88b5), DROP, { COOKIE: 1 }),
      at('sym_tap_in', 'tap', 'tap')(cookie(ENDPOINT.a, scene.index.up), REDIRECT, { RETURNED: 1 }),
      at('sym_tap_in', 'tap', 'tap')(cookie(77, scene.index.up), DROP, { COOKIE: 1 }),
      at('sym_tap_in', 'tap', 'tap')(cookie(ENDPOINT.a, scene.index.tap), DROP, { COOKIE: 1 }),
      at('sym_tap_out', 'tap', 'a')(unpaired, NEXT, {}),
      at('sym_tap_out', 'tap', 'b')(unpaired, DROP, { FOREIGN_TAP: 1 }),
      at('sym_tap_out', 'tap', 'node')(unpaired, DROP, { FOREIGN_TAP: 1 }),
    ]);
  });

  test('a forged mark changes nothing', async () => {
    for (const mark of [1, 0xffffffff]) {
      const on = { interface: scene.index.up, from: scene.index.a, mark };
      expect((await scene.gate.run('sym_up_out', segment, on)).verdict).toBe(REDIRECT);
    }
  });

  test.each([
    ['port', 'ipproto udp dport 4444', [4000, 4444], {}],
    ['traffic class', 'tos 0x10', [4000, 53], { tos: 0x10 }],
  ] as const)('a route by %s that leads around the gate', async (_what, rule, ports, traffic) => {
    const ipFamily = family ? '-6' : '-4';
    const send = () => aSends(udp({ from: a, to: remote, ...traffic }, ports), REDIRECT, refused('NO_GATE'));
    scene.sh('', `ip ${ipFamily} route add default dev bare0 table 100; ip ${ipFamily} rule add pref 100 ${rule} lookup 100`);
    try {
      await meet([send(), aSends(udp({ from: a, to: remote }, [4000, 4445]), NEXT, {})]);
    } finally {
      scene.sh('', `ip ${ipFamily} rule del pref 100; ip ${ipFamily} route flush table 100`);
    }
  });

  test('an inbound workload and an unmanaged one of the node: nothing is free', async () => {
    await scene.mode('a', 'INBOUND');
    await scene.mode('b', 'UNMANAGED');
    try {
      await meet([
        aToB(tcp({ from: a, to: b }, [4000, 22], TCP.syn), REDIRECT, { HELD: 1 }),
        bToA(tcp({ from: b, to: a }, [4000, 22], TCP.syn), REDIRECT, refusedTcp('NO_PAIR')),
      ]);
    } finally {
      await scene.mode('b', 'ALL');
    }
  });

  test('a workload that is not attested: what it sends waits, what it is sent is dropped', async () => {
    await scene.mode('a', 'UNATTESTED');
    await meet([
      aLeaves(syn, REDIRECT, { HELD: 1 }),
      aLeaves(segment, REDIRECT, { HELD: 1 }),
      aLeaves(udp({ from: a, to: ADDRESS.outside[family] }, [1, 53]), DROP, { UNATTESTED: 1 }),
      arrives(synAck, DROP, { UNATTESTED: 1 }),
    ]);
    await scene.heartbeat(false);
    await meet([aLeaves(syn, DROP, { NO_AGENT: 1 })]);
  });

  test('an unmanaged workload: only its source is checked', async () => {
    await scene.mode('a', 'UNMANAGED');
    await meet([
      aSends(udp(out, [1, 2]), NEXT, {}),
      aLeaves(udp(out, [1, 2]), NEXT, {}),
      arrives(udp(back, [2, 1]), NEXT, {}),
      aSends(udp({ from: b, to: remote }, [4000, 5353]), DROP, { SPOOFED_SOURCE: 1 }),
      aSends(udp({ from: ADDRESS.unowned[family], to: remote }, [4000, 5353]), DROP, { SPOOFED_SOURCE: 1 }),
      aSends(udp({ from: ADDRESS.outside[family], to: remote }, [4000, 5353]), NEXT, {}),
      // It is no router: routes and redirects.
      aSends(icmp({ from: a, to: b, hopLimit: 255 }, family ? 134 : 9, 0, Buffer.alloc(20)), DROP, { NEIGHBOUR: 1 }),
      aSends(icmp({ from: a, to: b, hopLimit: 255 }, family ? 137 : 5, 0, Buffer.alloc(20)), DROP, { NEIGHBOUR: 1 }),
    ]);
  });

  test('an inbound workload: free towards what no directory knows, with replies; gated otherwise', async () => {
    await scene.mode('a', 'INBOUND');
    const outside = ADDRESS.outside[family];
    await meet([
      aSends(udp({ from: a, to: outside }, [4000, 53]), NEXT, { PASSED_OPEN: 1 }),
      aLeaves(udp({ from: a, to: outside }, [4000, 53]), NEXT, { PASSED_OTHER: 1 }),
      arrives(udp({ from: outside, to: a }, [53, 4000]), NEXT, { PASSED_FLOW: 1 }),
      arrives(udp({ from: outside, to: a }, [53, 4001]), REDIRECT, refused('NO_PAIR')),
      aSends(tcp({ from: a, to: outside }, [4000, 443], TCP.syn), NEXT, { PASSED_OPEN: 1 }),
      at('sym_up_out', 'up', 'a')(tcp({ from: ADDRESS.node[family], to: outside }, [4000, 443], TCP.syn), NEXT, {}),
      at('sym_wl_out', 'a', 'up')(tcp({ from: outside, to: a }, [443, 4000], TCP.syn | TCP.ack), NEXT, { PASSED_FLOW: 1 }),
      aLeaves(tcp(out, [4000, 22], TCP.syn), REDIRECT, { HELD: 1 }),
    ]);
    await scene.mode('a', 'ALL');
    await meet([arrives(udp({ from: outside, to: a }, [53, 4000]), REDIRECT, refused('NO_PAIR'))]);
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

  test("one workload's flood of first contacts does not fill the TAP for others", async () => {
    const packets = 2000;
    const held = tcp(out, [4000, 22], TCP.syn);
    const counted = await scene.gate.counted(() =>
      scene.gate.run('sym_up_out', held, { interface: scene.index.up, from: scene.index.a, times: packets }),
    );
    expect(counted.HOLD_QUOTA).toBeGreaterThan(0);
    expect((counted.HOLD_QUOTA ?? 0) + (counted.HELD ?? 0)).toBe(packets);
    await meet([bLeaves(tcp({ from: b, to: remote }, [4000, 22], TCP.syn), REDIRECT, { HELD: 1 })]);
    await scene.gate.sweep(ENDPOINT.a);
  });

  test('refusals beyond so many a second are not answered', async () => {
    const packets = 4500;
    const counted = await scene.gate.counted(async () => {
      const run = () => scene.gate.run('sym_up_out', segment, { interface: scene.index.up, from: scene.index.a, times: packets });
      expect([DROP, REDIRECT]).toContain((await run()).verdict);
    });
    expect(counted.SENT_LIMITED).toBeGreaterThan(0);
    expect((counted.SENT_LIMITED ?? 0) + (counted.SENT_RST ?? 0)).toBe(packets);
    await new Promise((resolve) => setTimeout(resolve, 1100));
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

describe('shapes that no managed workload sends or gets', () => {
  const out = { from: ADDRESS.a[0], to: ADDRESS.remote[0] };
  const out6 = { from: ADDRESS.a[1], to: ADDRESS.remote[1] };
  const back6 = { from: ADDRESS.remote[1], to: ADDRESS.b[1] };
  const linkLocal = 'fe80::aa';
  const allNodes = 'ff02::1';
  const padding = Buffer.from([0, 0, 1, 4, 0, 0, 0, 0]);
  const routerAlert = Buffer.from([0, 0, 5, 2, 0, 0, 1, 0]);
  const solicitation = (spec: PacketSpec, type = 135) => icmp({ hopLimit: 255, ...spec }, type, 0, Buffer.alloc(20));
  const truncated = (packet: Buffer) => packet.subarray(0, packet.length - 10);

  test.each<[string, () => Step]>([
    ['a first fragment', () => aLeaves(udp({ ...out, fragment: 0x2000 }, [1, 5353]), DROP, { FRAGMENT: 1 })],
    ['a later fragment', () => aLeaves(udp({ ...out, fragment: 10 }, [1, 5353]), DROP, { FRAGMENT: 1 })],
    ['IPv4 options', () => aLeaves(udp({ ...out, options: Buffer.from([7, 4, 4, 0]) }, [1, 5353]), DROP, { IP_OPTIONS: 1 })],
    ['an IPv4 packet cut short', () => aLeaves(truncated(udp(out, [1, 5353], Buffer.alloc(40))), DROP, { TRUNCATED: 1 })],
    ['an IPv6 packet cut short', () => aLeaves(truncated(udp(out6, [1, 5353], Buffer.alloc(40))), DROP, { TRUNCATED: 1 })],
    ['a TCP header of 16 bytes', () => aLeaves(Buffer.from(tcp(out, [1, 8443], TCP.syn)).fill(0x40, 46, 47), DROP, { TRUNCATED: 1 })],
    [
      'an IPv6 fragment',
      () =>
        aLeaves(udp({ ...out6, extension: { number: 44, bytes: Buffer.from([0, 0, 0, 1, 0, 0, 0, 0]) } }, [1, 5353]), DROP, {
          FRAGMENT: 1,
        }),
    ],
    [
      'destination options',
      () => aLeaves(udp({ ...out6, extension: { number: 60, bytes: padding } }, [1, 5353]), DROP, { EXTENSION_HEADER: 1 }),
    ],
    [
      'hop-by-hop options, coming in',
      () => arrives(udp({ ...back6, extension: { number: 0, bytes: padding } }, [1, 5353]), DROP, { EXTENSION_HEADER: 1 }),
    ],
    [
      'the same to the agent, behind an extension header',
      () =>
        arrives(
          tcp({ from: ADDRESS.remote[1], to: ADDRESS.node[1], extension: { number: 60, bytes: padding } }, [1, AGENT_PORT], TCP.syn),
          DROP,
          { NOT_A_PEER: 1 },
        ),
    ],
    [
      'to the agent, behind IPv4 options',
      () =>
        arrives(tcp({ from: ADDRESS.remote[0], to: ADDRESS.node[0], options: Buffer.from([1, 1, 1, 0]) }, [1, AGENT_PORT], TCP.syn), DROP, {
          NOT_A_PEER: 1,
        }),
    ],
    [
      'to the agent, in fragments',
      () =>
        arrives(tcp({ from: ADDRESS.remote[0], to: ADDRESS.node[0], fragment: 0x2000 }, [1, AGENT_PORT], TCP.syn), DROP, { NOT_A_PEER: 1 }),
    ],
    [
      'IPv4 addresses in an IPv6 header',
      () => aLeaves(udp({ from: '::ffff:10.71.1.2', to: '::ffff:10.71.2.2', asIpv6: true }, [1, 5353]), DROP, { MAPPED_ADDRESS: 1 }),
    ],
    ['neighbour discovery on the link passes', () => aSends(solicitation({ from: linkLocal, to: allNodes }), NEXT, {})],
    ['duplicate address detection passes', () => aSends(solicitation({ from: '::', to: allNodes }), NEXT, {})],
    ['neighbour discovery that has been forwarded', () => aLeaves(solicitation({ ...out6, hopLimit: 254 }), DROP, { NEIGHBOUR: 1 })],
    [
      'neighbour discovery from a link-local source with another hop limit',
      () => aSends(solicitation({ from: linkLocal, to: allNodes, hopLimit: 64 }), DROP, { SPOOFED_SOURCE: 1 }),
    ],
    ['a workload that says it is a router', () => aSends(solicitation({ from: ADDRESS.a[1], to: allNodes }, 134), DROP, { NEIGHBOUR: 1 })],
    ['the node says it is a router', () => nodeToA(solicitation({ from: 'fe80::1', to: allNodes }, 134), NEXT, {})],
    [
      'a multicast listener report',
      () =>
        aSends(
          icmp({ from: linkLocal, to: 'ff02::16', hopLimit: 1, extension: { number: 0, bytes: routerAlert } }, 143, 0, Buffer.alloc(4)),
          NEXT,
          {},
        ),
    ],
    [
      'other packets behind a router alert',
      () =>
        aSends(udp({ from: ADDRESS.a[1], to: 'ff02::16', hopLimit: 1, extension: { number: 0, bytes: routerAlert } }, [1, 2]), DROP, {
          EXTENSION_HEADER: 1,
        }),
    ],
    ['link-local datagrams', () => aSends(udp({ from: linkLocal, to: 'fe80::1' }, [1, 2]), DROP, { SPOOFED_SOURCE: 1 })],
    ['to a link-local address', () => aSends(udp({ from: ADDRESS.a[1], to: 'fe80::1' }, [1, 2]), DROP, { NODE_DESTINATION: 1 })],
    ['multicast', () => aSends(udp({ from: ADDRESS.a[0], to: '224.0.0.251' }, [5353, 5353]), DROP, { NODE_DESTINATION: 1 })],
    ['broadcast, as DHCP does it', () => aSends(udp({ from: '0.0.0.0', to: '255.255.255.255' }, [68, 67]), DROP, { SPOOFED_SOURCE: 1 })],
    [
      'a broadcast address of the node',
      () => aSends(udp({ from: ADDRESS.a[0], to: '10.71.1.3' }, [1, 2]), REDIRECT, refused('NODE_DESTINATION')),
    ],
    [
      'an anycast address of the node',
      () => aSends(udp({ from: ADDRESS.a[1], to: 'fd71:1:a::' }, [1, 2]), REDIRECT, refused('NODE_DESTINATION')),
    ],
    [
      'an address without route',
      () => aSends(udp({ from: ADDRESS.a[0], to: '203.0.113.1' }, [1, 2]), REDIRECT, refused('NODE_DESTINATION')),
    ],
    [
      'an IPv6 address without route',
      () => aSends(udp({ from: ADDRESS.a[1], to: '2001:db8::1' }, [1, 2]), REDIRECT, refused('NODE_DESTINATION')),
    ],
    [
      "neighbour discovery for beyond the link, with the workload's address",
      () => aSends(solicitation({ from: ADDRESS.a[1], to: 'fd98::1' }), DROP, { NEIGHBOUR: 1 }),
    ],
    ['neighbour discovery for the node', () => aSends(solicitation({ from: ADDRESS.a[1], to: 'fd71:1:a::1' }), NEXT, {})],
    [
      'an address of the node that the agent does not know yet',
      () => {
        scene.sh('', 'ip addr add 10.71.1.77/32 dev lo');
        return aSends(udp({ from: ADDRESS.a[0], to: '10.71.1.77' }, [1, 2]), REDIRECT, refused('NODE_DESTINATION'));
      },
    ],
    ['a timestamp request', () => aLeaves(icmp(out, 13, 0, Buffer.alloc(16)), DROP, { ICMP_TYPE: 1 })],
  ])('%s', async (_name, step) => {
    await meet([step()]);
  });
});
