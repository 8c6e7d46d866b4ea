import { addressFromBytes, type IpAddress } from '#core/network/address';
import { PROTOCOL, type Protocol } from '#core/network/flow';

const ETHERNET_BYTES = 14;
const SOURCE_MAC = 6;
const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const IPV4_BYTES = 20;
const IPV6_BYTES = 40;
const FRAGMENT_BITS = 0x3fff; // more fragments, and the offset
/** IPv6 extension headers (IANA): the gate lets none through, so none is looked behind. */
const EXTENSION_HEADERS: ReadonlySet<number> = new Set([0, 43, 44, 50, 51, 60, 135, 139, 140]);

/** A held packet's flow as its frame tells it. What a frame says is a claim: the endpoint must still be compared with the source's owner. */
export interface HeldFrame {
  /** From the cookie in the source MAC. */
  readonly endpoint: number;
  /** The same for frames of one flow from one endpoint, different for any two others. */
  readonly flow: string;
  readonly protocol: Protocol;
  /** 0 = the protocol has no ports. */
  readonly servicePort: number;
  readonly source: () => IpAddress;
  readonly destination: () => IpAddress;
}

function ports(protocol: number, frame: Buffer, at: number): number | undefined {
  if (protocol !== PROTOCOL.tcp && protocol !== PROTOCOL.udp) return 0;
  if (frame.length < at + 4) return undefined;
  const port = frame.readUInt16BE(at + 2);
  return port === 0 ? undefined : port; // the port 0 of a map key means something else
}

function describe(frame: Buffer, protocol: number, addresses: number, addressBytes: number, payload: number): HeldFrame | undefined {
  const servicePort = ports(protocol, frame, payload);
  if (servicePort === undefined) return undefined;
  const cookie = frame.toString('latin1', SOURCE_MAC, SOURCE_MAC + 4);
  return {
    endpoint: frame.readUInt32LE(SOURCE_MAC),
    flow: `${cookie}${frame.toString('latin1', addresses, addresses + 2 * addressBytes)}${protocol}:${servicePort}`,
    protocol: protocol as Protocol,
    servicePort,
    source: () => addressFromBytes(frame.subarray(addresses, addresses + addressBytes)),
    destination: () => addressFromBytes(frame.subarray(addresses + addressBytes, addresses + 2 * addressBytes)),
  };
}

/**
 * Reads the headers of a frame from the TAP: cookie, addresses, protocol, server port. Undefined for anything that the gate never holds: other
 * ethertypes, fragments, IP options, extension headers, headers that are cut off.
 */
export function parseHeldFrame(frame: Buffer): HeldFrame | undefined {
  if (frame.length < ETHERNET_BYTES + IPV4_BYTES) return undefined;
  const ip = ETHERNET_BYTES;
  switch (frame.readUInt16BE(12)) {
    case IPV4:
      if (frame.readUInt8(ip) !== 0x45 || (frame.readUInt16BE(ip + 6) & FRAGMENT_BITS) !== 0) return undefined;
      return describe(frame, frame.readUInt8(ip + 9), ip + 12, 4, ip + IPV4_BYTES);
    case IPV6: {
      if (frame.length < ip + IPV6_BYTES || frame.readUInt8(ip) >> 4 !== 6) return undefined;
      const protocol = frame.readUInt8(ip + 6);
      if (EXTENSION_HEADERS.has(protocol)) return undefined;
      return describe(frame, protocol, ip + 8, 16, ip + IPV6_BYTES);
    }
    default:
      return undefined;
  }
}
