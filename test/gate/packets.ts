import { addressToBytes, parseIpAddress } from '#core/network/address';

/** What the packets of the tables are made of; everything has a harmless default. */
export interface PacketSpec {
  readonly from: string;
  readonly to: string;
  readonly sourceMac?: Buffer;
  readonly hopLimit?: number;
  /** IPv4's type of service, IPv6's traffic class. */
  readonly tos?: number;
  /** IPv4: bytes of options, a multiple of 4. */
  readonly options?: Buffer;
  /** IPv4: flags and offset as on the wire. */
  readonly fragment?: number;
  /** IPv6: an extension header, its first byte to be filled in with the next header, and its own number. */
  readonly extension?: { readonly number: number; readonly bytes: Buffer };
  /** IPv4-mapped addresses go into an IPv6 header as they are. */
  readonly asIpv6?: boolean;
}

export const TCP = { fin: 1, syn: 2, rst: 4, ack: 16 } as const;
const MAC = Buffer.from('0200000000aa', 'hex');

function sum16(bytes: Buffer): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** The Internet checksum (RFC 1071). */
function checksum(...parts: readonly Buffer[]): number {
  return ~sum16(Buffer.concat(parts)) & 0xffff;
}

export function addressBytes(text: string): Buffer {
  if (text.startsWith('::ffff:')) return addressBytes(text.slice(7));
  return Buffer.from(addressToBytes(parseIpAddress(text)));
}

/** Addresses, protocol and length as transport checksums cover them; IPv4 in mapped form sums to the same. */
function pseudoHeader(spec: PacketSpec, protocol: number, length: number): Buffer {
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(length);
  tail[3] = protocol;
  return Buffer.concat([addressBytes(spec.from), addressBytes(spec.to), tail]);
}

function ipv4(spec: PacketSpec, protocol: number, payload: Buffer): Buffer {
  const options = spec.options ?? Buffer.alloc(0);
  const header = Buffer.concat([Buffer.alloc(20), options]);
  header[0] = 0x40 | (header.length / 4);
  header[1] = spec.tos ?? 0;
  header.writeUInt16BE(header.length + payload.length, 2);
  header.writeUInt16BE(spec.fragment ?? 0x4000, 6);
  header[8] = spec.hopLimit ?? 64;
  header[9] = protocol;
  addressBytes(spec.from).copy(header, 12, 12);
  addressBytes(spec.to).copy(header, 16, 12);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, payload]);
}

function ipv6(spec: PacketSpec, protocol: number, payload: Buffer): Buffer {
  const extension = Buffer.from(spec.extension?.bytes ?? []);
  if (extension.length > 0) extension[0] = protocol;
  const header = Buffer.alloc(40);
  header.writeUInt16BE(0x6000 | ((spec.tos ?? 0) << 4));
  header.writeUInt16BE(extension.length + payload.length, 4);
  header[6] = spec.extension?.number ?? protocol;
  header[7] = spec.hopLimit ?? 64;
  addressBytes(spec.from).copy(header, 8);
  addressBytes(spec.to).copy(header, 24);
  return Buffer.concat([header, extension, payload]);
}

const isV6 = (spec: PacketSpec) => spec.asIpv6 ?? spec.from.includes(':');

export function ip(spec: PacketSpec, protocol: number, payload: Buffer): Buffer {
  const packet = isV6(spec) ? ipv6(spec, protocol, payload) : ipv4(spec, protocol, payload);
  const ethernet = Buffer.concat([MAC, spec.sourceMac ?? MAC, Buffer.alloc(2)]);
  ethernet.writeUInt16BE(isV6(spec) ? 0x86dd : 0x0800, 12);
  return Buffer.concat([ethernet, packet]);
}

export function tcp(
  spec: PacketSpec,
  ports: readonly [number, number],
  flags: number,
  payload = Buffer.alloc(0),
  numbers: readonly [sequence: number, acknowledged: number] = [1000, flags & TCP.ack ? 2000 : 0],
): Buffer {
  const segment = Buffer.concat([Buffer.alloc(20), payload]);
  segment.writeUInt16BE(ports[0], 0);
  segment.writeUInt16BE(ports[1], 2);
  segment.writeUInt32BE(numbers[0], 4);
  segment.writeUInt32BE(numbers[1], 8);
  segment[12] = 0x50;
  segment[13] = flags;
  segment.writeUInt16BE(checksum(pseudoHeader(spec, 6, segment.length), segment), 16);
  return ip(spec, 6, segment);
}

export function udp(spec: PacketSpec, ports: readonly [number, number], payload = Buffer.from('data')): Buffer {
  const datagram = Buffer.concat([Buffer.alloc(8), payload]);
  datagram.writeUInt16BE(ports[0], 0);
  datagram.writeUInt16BE(ports[1], 2);
  datagram.writeUInt16BE(datagram.length, 4);
  datagram.writeUInt16BE(checksum(pseudoHeader(spec, 17, datagram.length), datagram), 6);
  return ip(spec, 17, datagram);
}

/** An ICMP or ICMPv6 message by the address family. */
export function icmp(spec: PacketSpec, type: number, code: number, rest: Buffer): Buffer {
  const message = Buffer.concat([Buffer.from([type, code, 0, 0]), rest]);
  const pseudo = isV6(spec) ? [pseudoHeader(spec, 58, message.length)] : [];
  message.writeUInt16BE(checksum(...pseudo, message), 2);
  return ip(spec, isV6(spec) ? 58 : 1, message);
}

export function echo(spec: PacketSpec, kind: 'request' | 'reply', identifier: number): Buffer {
  const rest = Buffer.alloc(12);
  rest.writeUInt16BE(identifier);
  const type = isV6(spec) ? { request: 128, reply: 129 }[kind] : { request: 8, reply: 0 }[kind];
  return icmp(spec, type, 0, rest);
}

/** An ICMP error about a packet, quoting its IP header and 8 bytes. `unreachable` = port; `too big` = path MTU. */
export function icmpError(spec: PacketSpec, about: Buffer, kind: 'unreachable' | 'too big' | 'redirect'): Buffer {
  const [type, code] = isV6(spec)
    ? { unreachable: [1, 4], 'too big': [2, 0], redirect: [137, 0] }[kind]
    : { unreachable: [3, 3], 'too big': [3, 4], redirect: [5, 1] }[kind];
  return icmp(spec, type ?? 0, code ?? 0, Buffer.concat([Buffer.alloc(4), about.subarray(14, 14 + (isV6(spec) ? 48 : 28))]));
}

/** A frame of no IP protocol. */
export function frame(etherType: number): Buffer {
  const bytes = Buffer.alloc(60);
  MAC.copy(bytes, 0);
  MAC.copy(bytes, 6);
  bytes.writeUInt16BE(etherType, 12);
  return bytes;
}

/** Whether IPv4 header and transport checksums of an Ethernet frame are right. */
export function checksumsAreRight(packet: Buffer): boolean {
  const v6 = packet.readUInt16BE(12) === 0x86dd;
  const header = packet.subarray(14, v6 ? 54 : 34);
  const transport = packet.subarray(14 + header.length, 14 + (v6 ? 40 + header.readUInt16BE(4) : header.readUInt16BE(2)));
  const protocol = header[v6 ? 6 : 9] ?? 0;
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(transport.length);
  tail[3] = protocol;
  const addresses = v6 ? header.subarray(8, 40) : header.subarray(12, 20);
  const pseudo = protocol === 1 ? [] : [addresses, tail];
  return (v6 || checksum(header) === 0) && checksum(...pseudo, transport) === 0;
}
