import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ADDRESS, ENDPOINT, Scene } from './scene.ts';
import { addressBytes, checksumsAreRight, tcp, TCP, udp } from './packets.ts';

/** Sends Ethernet frames, given in hex, out of an interface. A sender on the node itself is told that they were dropped. */
const SEND_FRAMES = `
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for frame in sys.argv[2:]:
    try:
        s.send(bytes.fromhex(frame))
    except OSError:
        pass
`;

/** Sends a frame whose checksum the kernel is to write at an offset (struct virtio_net_hdr of linux/virtio_net.h). */
const SEND_UNFINISHED = `
import socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.setsockopt(263, 15, 1)
s.bind(('eth0', 0))
start, at = int(sys.argv[1]), int(sys.argv[2])
s.send(struct.pack('<BBHHHH', 1, 0, 0, 0, start, at - start) + bytes.fromhex(sys.argv[3]))
`;

/** Counts the datagrams that arrive at a port within a second. */
const COUNT_DATAGRAMS = `
import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(('::', int(sys.argv[1])))
s.settimeout(1)
n = 0
try:
    while True:
        s.recv(70000)
        n += 1
except TimeoutError:
    print(n)
`;

/** Sends datagrams of a size until the kernel says that they are too long. */
const SEND_LARGE = `
import errno, socket, sys, time
host, size = sys.argv[1], int(sys.argv[2])
v6 = ':' in host
s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
if v6: s.setsockopt(41, 62, 1)
else: s.setsockopt(0, 10, 2)
s.connect((host, 5353))
for i in range(10):
    try:
        s.send(b'x' * size)
    except OSError as e:
        print(errno.errorcode[e.errno])
        break
    time.sleep(0.05)
else:
    print('never told')
`;

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.create();
  await scene.attach();
}, 60_000);
afterAll(async () => scene?.close());
beforeEach(async () => {
  await scene.mode('a', 'ALL');
  while (await scene.gate.readTap());
});

/** The frame, for the node as next hop of the workload. */
async function sendFrom(where: '' | 'a' | 'b' | 'r', link: string, to: Buffer, frame: Buffer): Promise<void> {
  const copy = Buffer.from(frame);
  to.copy(copy, 0);
  await scene.start(where, ['python3', '-c', SEND_FRAMES, link, copy.toString('hex')]);
}

describe.each([
  ['IPv4', 0],
  ['IPv6', 1],
] as const)('%s', (_name, family) => {
  const a = ADDRESS.a[family];
  const b = ADDRESS.b[family];
  const remote = ADDRESS.remote[family];

  test("a neighbour's address arrives nowhere, its owner's does", async () => {
    await scene.pair({ endpoint: ENDPOINT.a, local: a, remote, protocol: 17, role: 'CLIENT', port: 5353 });
    await scene.pair({ endpoint: ENDPOINT.b, local: b, remote, protocol: 17, role: 'CLIENT', port: 5353 });
    const listening = scene.start('r', ['python3', '-c', COUNT_DATAGRAMS, '5353']);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const counted = await scene.gate.counted(async () => {
      await sendFrom('b', 'eth0', scene.mac('wlb'), udp({ from: a, to: remote }, [4000, 5353]));
      await sendFrom('b', 'eth0', scene.mac('wlb'), udp({ from: b, to: remote }, [4001, 5353]));
    });
    expect(counted).toMatchObject({ SPOOFED_SOURCE: 1, PASSED_OPEN: 1 });
    expect(await listening).toBe('1');
  });

  test("a process on the node that uses a workload's address", async () => {
    const counted = await scene.gate.counted(() => sendFrom('', 'up0', scene.remoteMac(), udp({ from: a, to: remote }, [4000, 5353])));
    expect(counted).toMatchObject({ FORGED_BY_NODE: 1 });
  });

  test('a frame that a process on the node puts into the TAP reaches nobody', async () => {
    const cookie = Buffer.alloc(6);
    cookie.writeUInt32LE(ENDPOINT.a);
    cookie.writeUInt16LE(scene.index.up, 4);
    const frame = tcp({ from: a, to: remote, sourceMac: cookie }, [4000, 8443], TCP.syn);
    const counted = await scene.gate.counted(() => sendFrom('', 'symtap0', frame.subarray(0, 6), frame));
    expect(counted).toMatchObject({ FOREIGN_TAP: 1 });
    expect(await scene.gate.readTap()).toBeUndefined();
  });

  test('a mark changes nothing', async () => {
    const answer = scene.sh('a', `ping -m 1 -c1 -W1 ${ADDRESS.outside[family]}`);
    expect(answer).toMatch(family ? /prohibited/i : /filtered/i);
  });

  test("a workload learns the uplink's smaller MTU from the node, even by its first datagram", async () => {
    scene.sh('', 'ip link set up0 mtu 1300');
    try {
      expect(await scene.start('a', ['python3', '-c', SEND_LARGE, remote, '1380'])).toBe('EMSGSIZE');
    } finally {
      scene.sh('', 'ip link set up0 mtu 1500');
    }
  });

  // Source address (IPv4: offset 26; IPv6: 22 to 37), ports (IPv4: 34; IPv6: 54), and the checksum's own place behind them.
  test.each([
    ['its source address', family ? 36 : 28, { CHECKSUM: 1 }],
    ['its port', family ? 56 : 36, { CHECKSUM: 1 }],
    ['the checksum', family ? 60 : 40, { PASSED_OPEN: 1 }],
  ] as const)('a packet whose checksum, once it is filled in, takes the place of %s', async (_what, offset, expected) => {
    await scene.pair({ endpoint: ENDPOINT.a, local: a, remote, protocol: 17, role: 'CLIENT', port: 5353 });
    const frame = udp({ from: a, to: remote }, [4100 + offset, 5353]);
    scene.mac('wla').copy(frame, 0);
    const counted = await scene.gate.counted(async () => {
      await scene.start('a', ['python3', '-c', SEND_UNFINISHED, '20', String(offset), frame.toString('hex')]);
    });
    expect({ CHECKSUM: counted['CHECKSUM'], PASSED_OPEN: counted['PASSED_OPEN'] }).toEqual(expected);
  });

  test('a held frame is the packet that was sent', async () => {
    const waiting = scene.sh(
      'a',
      `python3 -c "import socket; s=socket.socket(socket.AF_INET${family ? 6 : ''}, socket.SOCK_DGRAM); s.sendto(b'held', ('${remote}', 7777))"`,
    );
    expect(waiting).toBe('');
    const frame = await scene.nextFrame();
    expect(checksumsAreRight(frame)).toBe(true);
    expect(frame.includes('held')).toBe(true);
    expect(frame.includes(addressBytes(remote).subarray(family ? 0 : 12))).toBe(true);
  });
});
