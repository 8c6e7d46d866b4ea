import { beforeEach, describe, test } from '@jest/globals';
import { icmp, TCP, tcp, udp } from './packets.ts';
import { ADDRESS, type Scene } from './scene.ts';
import {
  aLeaves,
  aSends,
  aToB,
  arrives,
  at,
  bToA,
  DROP,
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
  const { a, b, remote, out, back, rows, syn, segment, synAck } = standingPairs(family);

  beforeEach(async () => {
    await makeReady(scene, rows);
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
});
