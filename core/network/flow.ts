import { SymbolonError } from '#core/errors/error';
import { addressFromBytes, addressToBytes, type IpAddress } from './address.ts';

/** An IP protocol number, 0-255 (IANA). ICMP and ICMPv6 are told apart by the addresses' family. */
export type Protocol = number & { readonly __brand: 'Protocol' };
/** A transport port, 1-65535. */
export type Port = number & { readonly __brand: 'Port' };

/** IANA protocol numbers that the datapath understands beyond the number. */
export const PROTOCOL = { icmp: 1 as Protocol, tcp: 6 as Protocol, udp: 17 as Protocol, icmpv6: 58 as Protocol } as const;

/** Checks a protocol number. Throws PROTOCOL_INVALID. */
export function parseProtocol(value: number): Protocol {
  if (!Number.isInteger(value) || value < 0 || value > 255) {
    throw new SymbolonError('PROTOCOL_INVALID', `${value} is not an IP protocol number; expected 0 to 255`, { value: String(value) });
  }
  return value as Protocol;
}

/** Checks a port number. Throws PORT_INVALID. */
export function parsePort(value: number): Port {
  if (!Number.isInteger(value) || value < 1 || value > 65_535) {
    throw new SymbolonError('PORT_INVALID', `${value} is not a port; expected 1 to 65535`, { value: String(value) });
  }
  return value as Port;
}

/** True for the protocols whose flows are told apart by ports. */
export function hasPorts(protocol: Protocol): boolean {
  return protocol === PROTOCOL.tcp || protocol === PROTOCOL.udp;
}

/**
 * What one workload wants to send to another: `source` is the client's address, `destination` the server's, `servicePort` the server's
 * port. Protocols without ports have no servicePort.
 */
export interface Flow {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly protocol: Protocol;
  readonly servicePort?: Port;
}

/** Length of a canonical flow: version, 4-byte realm, 16-byte source and destination, protocol, 2-byte port. */
const CANONICAL_BYTES = 1 + 4 + 16 + 16 + 1 + 2;
const CANONICAL_VERSION = 1;

/** The one byte string of a flow, as it is signed in pair authentication: two flows are equal exactly when their bytes are. */
export function encodeFlow(flow: Flow, realm = 0): Uint8Array {
  if (flow.source.family !== flow.destination.family) {
    throw new SymbolonError('FLOW_INVALID', `a flow from ${flow.source.text} to ${flow.destination.text} mixes address families`, {
      value: `${flow.source.text} > ${flow.destination.text}`,
    });
  }
  const out = new Uint8Array(CANONICAL_BYTES);
  const view = new DataView(out.buffer);
  out[0] = CANONICAL_VERSION;
  view.setUint32(1, realm);
  out.set(addressToBytes(flow.source), 5);
  out.set(addressToBytes(flow.destination), 21);
  out[37] = flow.protocol;
  view.setUint16(38, flow.servicePort ?? 0);
  return out;
}

/** The flow of a canonical byte string. Throws FLOW_INVALID for anything that encodeFlow does not produce. */
export function decodeFlow(bytes: Uint8Array): { readonly flow: Flow; readonly realm: number } {
  const fail = (why: string): never => {
    throw new SymbolonError('FLOW_INVALID', `the canonical flow ${why}`, { value: Buffer.from(bytes).toString('hex') });
  };
  if (bytes.length !== CANONICAL_BYTES) return fail(`has ${bytes.length} bytes instead of ${CANONICAL_BYTES}`);
  if (bytes[0] !== CANONICAL_VERSION) return fail(`has version ${bytes[0]}, expected ${CANONICAL_VERSION}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const protocol = parseProtocol(bytes[37] ?? 0);
  const port = view.getUint16(38);
  if (port !== 0 && !hasPorts(protocol)) return fail(`names port ${port} for protocol ${protocol}, which has no ports`);
  if (port === 0 && hasPorts(protocol)) return fail(`names no port for protocol ${protocol}`);
  const flow: Flow = {
    source: addressFromBytes(bytes.subarray(5, 21)),
    destination: addressFromBytes(bytes.subarray(21, 37)),
    protocol,
    ...(port === 0 ? {} : { servicePort: parsePort(port) }),
  };
  if (flow.source.family !== flow.destination.family) return fail('mixes address families');
  return { flow, realm: view.getUint32(1) };
}
