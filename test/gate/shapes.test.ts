import { describe, test } from '@jest/globals';
import { icmp, TCP, tcp, udp, type PacketSpec } from './packets.ts';
import { ADDRESS, AGENT_PORT, type Scene } from './scene.ts';
import { aLeaves, aSends, arrives, DROP, NEXT, nodeToA, REDIRECT, refused, meet as meetIn, type Step, useScene } from './steps.ts';

let scene: Scene;
const meet = (steps: readonly Step[]): Promise<Buffer> => meetIn(scene, steps);

useScene((made) => {
  scene = made;
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
