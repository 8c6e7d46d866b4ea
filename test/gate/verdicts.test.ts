import { beforeEach, describe, expect, test } from '@jest/globals';
import { checksumsAreRight, echo, frame, icmpError, ip, TCP, tcp, udp } from './packets.ts';
import { ADDRESS, AGENT_PORT, ENDPOINT, type Scene } from './scene.ts';
import {
  aLeaves,
  aSends,
  aToB,
  arrives,
  at,
  bLeaves,
  bToA,
  DROP,
  makeReady,
  NEXT,
  nodeToA,
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
  const { a, b, remote, out, back, aTcp, rows, syn, segment, synAck, opened, accepted } = standingPairs(family);

  beforeEach(async () => {
    await makeReady(scene, rows);
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
});
