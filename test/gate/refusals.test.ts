import { beforeEach, describe, expect, test } from '@jest/globals';
import { ADDRESS, ENDPOINT, type Scene } from './scene.ts';
import { useScene } from './steps.ts';

/** Connects, or sends a datagram, and says what came of it: an error's name, `answered` or `nothing`, and whether that took less than 400 ms. */
const CLIENT = `
import errno, socket, sys, time
kind, host, port, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
family = socket.AF_INET6 if ':' in host else socket.AF_INET
began = time.time()
try:
    if kind == 'tcp':
        s = socket.socket(family, socket.SOCK_STREAM)
        s.settimeout(1.5)
        s.connect((host, port))
        s.send(b'x' * size)
        seen = 'answered' if s.recv(70000) else 'closed'
    else:
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.settimeout(1.5)
        s.connect((host, port))
        for _ in range(3 if size > 1000 else 1):
            s.send(b'x' * size)
            time.sleep(0.02)
        seen = 'answered' if s.recv(70000) else 'closed'
except TimeoutError:
    seen = 'nothing'
except OSError as e:
    seen = errno.errorcode[e.errno]
print(seen, 'quickly' if time.time() - began < 0.4 else 'late')
`;

let scene: Scene;

function client(where: 'a' | 'b' | 'r', kind: 'tcp' | 'udp', host: string, port: number, size = 4): string {
  return scene.sh(where, `python3 -c "${CLIENT.replaceAll('"', '\\"')}" ${kind} ${host} ${port} ${size}`).trim();
}

useScene(async (made) => {
  scene = made;
  await scene.attach();
});
beforeEach(async () => {
  await scene.mode('a', 'ALL');
  await scene.heartbeat(true);
});

describe.each([
  ['IPv4', 0, 'EHOSTUNREACH'],
  ['IPv6', 1, 'EACCES'],
] as const)('%s: a refusal arrives at once', (_name, family, prohibited) => {
  const a = ADDRESS.a[family];
  const b = ADDRESS.b[family];
  const remote = ADDRESS.remote[family];

  test("of what a workload sends to the node (the workload's own interface)", () => {
    expect(client('a', 'tcp', ADDRESS.node[family], 22)).toBe('ECONNREFUSED quickly');
    expect(client('a', 'udp', ADDRESS.node[family], 53)).toBe(`${prohibited} quickly`);
  });

  test('of what it sends to nobody we know (the uplink)', () => {
    expect(client('a', 'tcp', ADDRESS.outside[family], 8443)).toBe('ECONNREFUSED quickly');
    expect(client('a', 'udp', ADDRESS.outside[family], 53, 100)).toBe(`${prohibited} quickly`);
  });

  test('of what comes in by the uplink', () => {
    expect(client('r', 'tcp', a, 8443)).toBe('ECONNREFUSED quickly');
    expect(client('r', 'udp', a, 5353)).toBe(`${prohibited} quickly`);
  });

  test('of what an unmanaged workload of this node sends', async () => {
    await scene.mode('a', 'UNMANAGED');
    expect(client('a', 'tcp', b, 8443)).toBe('ECONNREFUSED quickly');
    expect(client('a', 'udp', b, 5353)).toBe(`${prohibited} quickly`);
  });

  test('of what the agent has denied, to another workload of this node', async () => {
    await scene.deny({ endpoint: ENDPOINT.a, local: a, remote: b, protocol: 6, role: 'CLIENT', port: 23 });
    expect(client('a', 'tcp', b, 23)).toBe('ECONNREFUSED quickly');
  });

  test.each([
    ['the uplink', remote],
    ['another workload of this node', b],
  ])('of a frame that comes back from the agent without a pair, on its way to %s', async (_where, host) => {
    while (await scene.gate.readTap());
    const waiting = scene.start('a', ['python3', '-c', CLIENT, 'tcp', host, '8443', '4']);
    const frame = await scene.nextFrame();
    expect(frame.readUInt32LE(6)).toBe(ENDPOINT.a);
    await scene.gate.writeTap(frame);
    expect(await waiting).toBe('ECONNREFUSED quickly');
  });

  test('a ping is told that it is prohibited', () => {
    expect(scene.sh('a', `ping -c1 -W1 ${ADDRESS.outside[family]}`)).toMatch(family ? /prohibited/i : /filtered/i);
  });
});
