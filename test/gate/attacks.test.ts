import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { SEND_FRAMES } from '../setup/raw-packets.ts';
import { ADDRESS, AGENT_PORT, ENDPOINT, type Scene } from './scene.ts';
import { useScene } from './steps.ts';
import { addressBytes, checksumsAreRight, ip, tcp, TCP, udp } from './packets.ts';

/** Sends a frame whose checksum the kernel is to write at an offset (struct virtio_net_hdr of linux/virtio_net.h). */
const SEND_UNFINISHED = `
import socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.setsockopt(263, 15, 1)
s.bind(('eth0', 0))
start, at = int(sys.argv[1]), int(sys.argv[2])
s.send(struct.pack('<BBHHHH', 1, 0, 0, 0, start, at - start) + bytes.fromhex(sys.argv[3]))
`;

/** Counts the datagrams that arrive at a port until standard input ends, and for half a second more. */
const COUNT_DATAGRAMS = `
import select, socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(('::', int(sys.argv[1])))
print('ready', flush=True)
n, patience = 0, None
while True:
    ready = select.select([s] if patience else [s, sys.stdin], [], [], patience)[0]
    if s in ready:
        s.recv(70000)
        n += 1
    elif patience:
        break
    else:
        patience = 0.5
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

useScene(async (made) => {
  scene = made;
  await scene.attach();
});
beforeEach(async () => {
  await scene.mode('a', 'ALL');
  while (await scene.gate.readTap());
});

/** The frame behind 802.1Q tags of these VLANs. */
function tagged(frame: Buffer, vlans: readonly number[]): Buffer {
  const tags = vlans.map((vlan) => Buffer.from([0x81, 0, vlan >> 8, vlan & 255]));
  return Buffer.concat([frame.subarray(0, 12), ...tags, frame.subarray(12)]);
}

/** How many datagrams to port 5353 reach a namespace while something is done. */
async function arriving(where: 'b' | 'r', work: () => Promise<unknown>): Promise<number> {
  const child = spawn('nsenter', [`--net=/run/netns/${scene.name}${where}`, 'python3', '-c', COUNT_DATAGRAMS, '5353']);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect(await lines.next()).toMatchObject({ value: 'ready' });
  await work();
  child.stdin.end();
  return Number((await lines.next()).value);
}

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
    let counted: Readonly<Record<string, number>> = {};
    const send = async () => {
      counted = await scene.gate.counted(async () => {
        await sendFrom('b', 'eth0', scene.mac('wlb'), udp({ from: a, to: remote }, [4000, 5353]));
        await sendFrom('b', 'eth0', scene.mac('wlb'), udp({ from: b, to: remote }, [4001, 5353]));
      });
    };
    expect(await arriving('r', send)).toBe(1);
    expect(counted).toMatchObject({ SPOOFED_SOURCE: 1, PASSED_OPEN: 1 });
  });

  describe('a tag without VLAN, which the kernel takes off behind the gate', () => {
    const stolen = udp({ from: remote, to: b }, [4000, 5353]);
    beforeEach(async () => {
      await scene.mode('a', 'UNMANAGED');
      await scene.pair({ endpoint: ENDPOINT.b, local: b, remote, protocol: 17, role: 'SERVER', port: 5353 });
    });

    test('does not keep a packet of the remote workload from its receiver: the stack does take it for IP', async () => {
      const rightful = udp({ from: remote, to: b }, [4100, 5353]);
      expect(await arriving('b', () => sendFrom('r', 'eth0', scene.mac('up0'), tagged(rightful, [0])))).toBe(1);
    });

    test.each([
      [[0], { SPOOFED_SOURCE: 1 }],
      [[0, 0], { SPOOFED_SOURCE: 1 }],
      [[0, 0, 0], { VLAN: 1 }],
    ])("does not hide a workload's forged source (%j)", async (vlans, expected) => {
      let counted: Readonly<Record<string, number>> = {};
      const send = async () => {
        counted = await scene.gate.counted(() => sendFrom('a', 'eth0', scene.mac('wla'), tagged(stolen, vlans)));
      };
      expect(await arriving('b', send)).toBe(0);
      expect(counted).toMatchObject(expected);
    });

    test('nor one from beyond the uplink', async () => {
      await scene.mode('a', 'ALL');
      const forged = udp({ from: a, to: b }, [4000, 5353]);
      const counted = await scene.gate.counted(() => sendFrom('r', 'eth0', scene.mac('up0'), tagged(forged, [0])));
      expect(counted).toMatchObject({ SPOOFED_SOURCE: 1 });
    });

    test("nor a stranger's connection to the agent", async () => {
      const hello = tcp({ from: remote, to: ADDRESS.node[family] }, [4000, AGENT_PORT], TCP.syn);
      const counted = await scene.gate.counted(() => sendFrom('r', 'eth0', scene.mac('up0'), tagged(hello, [0])));
      expect(counted).toMatchObject({ NOT_A_PEER: 1 });
    });
  });

  test("a program that was there before, and lets everything pass, does not switch the gate off; before the gate's it would", async () => {
    const { gate, index } = scene;
    const object = `${scene.gate.directory}/pass.o`;
    execFileSync('clang', ['-O2', '-target', 'bpf', '-c', join(__dirname, 'foreign/pass.bpf.c'), '-o', object]);
    const send = (port: number) => () => sendFrom('a', 'eth0', scene.mac('wla'), udp({ from: a, to: remote }, [port, 5353]));
    await scene.unpair({ endpoint: ENDPOINT.a, local: a, remote, protocol: 17, role: 'CLIENT', port: 5353 });
    await gate.detach('sym_up_out', index.up);
    await gate.attachForeign(object, 'pass', index.up, 'egress');
    await gate.attach('sym_up_out', index.up, 'egress');
    try {
      expect(await gate.isFirst('sym_up_out', index.up, 'egress')).toBe(true);
      expect(await gate.counted(send(4200))).toMatchObject({ HELD: 1 });
      await gate.detach('pass', index.up);
      await gate.attachForeign(object, 'pass', index.up, 'egress');
      expect(await gate.isFirst('sym_up_out', index.up, 'egress')).toBe(false);
      expect(await arriving('r', send(4201))).toBe(1);
    } finally {
      await gate.detach('pass', index.up);
    }
    expect(await gate.counted(send(4202))).toMatchObject({ HELD: 1 });
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
  ] as const)('a UDP packet whose checksum, once it is filled in, takes the place of %s', async (_what, offset, expected) => {
    await scene.pair({ endpoint: ENDPOINT.a, local: a, remote, protocol: 17, role: 'CLIENT', port: 5353 });
    const frame = udp({ from: a, to: remote }, [4100 + offset, 5353]);
    scene.mac('wla').copy(frame, 0);
    const counted = await scene.gate.counted(async () => {
      await scene.start('a', ['python3', '-c', SEND_UNFINISHED, '20', String(offset), frame.toString('hex')]);
    });
    expect({ CHECKSUM: counted['CHECKSUM'], PASSED_OPEN: counted['PASSED_OPEN'] }).toEqual(expected);
  });

  test.each([
    ['its source address', family ? 36 : 28, { CHECKSUM: 1 }],
    ['the checksum', (family ? 54 : 34) + 8, {}],
  ] as const)('an SCTP packet whose checksum, once it is filled in, takes the place of %s', async (_what, offset, expected) => {
    await scene.mode('a', 'UNMANAGED');
    const frame = ip({ from: a, to: remote }, 132, Buffer.alloc(32));
    scene.mac('wla').copy(frame, 0);
    const counted = await scene.gate.counted(async () => {
      await scene.start('a', ['python3', '-c', SEND_UNFINISHED, '20', String(offset), frame.toString('hex')]);
    });
    expect(counted).toEqual(expected);
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
