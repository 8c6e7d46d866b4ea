import type { ExecTarget, Lab } from '#lab/lab';

/** Sends IP packets, given as mark:hex, with the sources that they name: what needs root, and the network namespace's own routes. */
const SEND_PACKETS = `
import socket, struct, sys
for argument in sys.argv[1:]:
    mark, text = argument.split(':')
    packet = bytes.fromhex(text)
    v6 = packet[0] >> 4 == 6
    s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    s.setsockopt(socket.SOL_SOCKET, 36, struct.pack('I', int(mark)))
    to = socket.inet_ntop(socket.AF_INET6, packet[24:40]) if v6 else socket.inet_ntoa(packet[16:20])
    try:
        s.sendto(packet, (to, 0))
    except OSError:
        pass
    s.close()
`;

/** Python: puts Ethernet frames, given in hex, on an interface. A sender on the node itself is told that they were dropped. */
export const SEND_FRAMES = `
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for frame in sys.argv[2:]:
    try:
        s.send(bytes.fromhex(frame))
    except OSError:
        pass
`;

/** Says the last TCP segment from one address to another that passed an interface, once there was one and then none for half a second. */
const LAST_SEGMENT = `
import json, socket, struct, sys
v6 = ':' in sys.argv[2]
family = socket.AF_INET6 if v6 else socket.AF_INET
source, destination = (socket.inet_pton(family, a) for a in sys.argv[2:4])
s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
s.bind((sys.argv[1], 3))
last = None
while True:
    s.settimeout(0.5 if last else 20)
    try:
        packet = s.recv(65536)
    except TimeoutError:
        break
    if packet[0] >> 4 != (6 if v6 else 4): continue
    if v6: head, protocol, ends, total = 40, packet[6], (packet[8:24], packet[24:40]), 40 + struct.unpack('!H', packet[4:6])[0]
    else: head, protocol, ends, total = (packet[0] & 15) * 4, packet[9], (packet[12:16], packet[16:20]), struct.unpack('!H', packet[2:4])[0]
    if protocol != 6 or ends != (source, destination): continue
    t = packet[head:total]
    port, to, seq, ack = struct.unpack('!HHII', t[:12])
    last = {'port': port, 'to': to, 'sequence': (seq + len(t) - (t[12] >> 4) * 4) & 0xffffffff, 'acknowledged': ack}
print(json.dumps(last))
`;

/** Where a connection stands, as somebody on its path sees it: what its next segment must say. */
export interface Sniffed {
  /** Of the sender, and of the receiver. */
  readonly port: number;
  readonly to: number;
  readonly sequence: number;
  readonly acknowledged: number;
}

/** A place of the lab as root, or the network namespace of a workload as root: what a process with CAP_NET_RAW can do there. */
export interface Attacker {
  readonly place: string;
  readonly inNamespaceOf?: string;
}

/** Sends packets as somebody who may forge them. */
export class RawPackets {
  constructor(private readonly lab: Lab) {}

  private async python(from: Attacker, script: string, args: readonly string[], timeoutMs = 30_000): Promise<string> {
    const target: ExecTarget = { place: from.place };
    const enter = from.inNamespaceOf === undefined ? [] : ['nsenter', `--net=/run/netns/${from.inNamespaceOf}`];
    const { code, stdout, stderr } = await this.lab.exec(target, [...enter, 'python3', '-c', script, ...args], { timeoutMs });
    if (code !== 0) throw new Error(`the forger on ${from.place} failed: ${stderr}`);
    return stdout;
  }

  /** Frames as packets.ts makes them; their Ethernet headers are not used. Each is sent with every mark (SO_MARK). */
  async sendIp(from: Attacker, frames: readonly Buffer[], marks: readonly number[] = [0]): Promise<void> {
    const packets = frames.map((frame) => frame.subarray(14).toString('hex'));
    await this.python(
      from,
      SEND_PACKETS,
      packets.flatMap((packet) => marks.map((mark) => `${mark}:${packet}`)),
    );
  }

  async sendFrames(from: Attacker, interfaceName: string, frames: readonly Buffer[]): Promise<void> {
    await this.python(from, SEND_FRAMES, [interfaceName, ...frames.map((frame) => frame.toString('hex'))]);
  }

  async lastSegment(from: Attacker, interfaceName: string, source: string, destination: string): Promise<Sniffed> {
    return JSON.parse(await this.python(from, LAST_SEGMENT, [interfaceName, source, destination])) as Sniffed;
  }
}
