import { SymbolonError } from '#core/errors/error';
import { type Flow, hasPorts, PROTOCOL, type Protocol, parsePort, parseProtocol } from '#core/network/flow';
import type { Traffic } from './model.ts';
import type { PortRange } from './port-ranges.ts';

/** What policies look at in a flow. */
export interface FlowClass {
  readonly family: 4 | 6;
  readonly protocol: Protocol;
  readonly servicePort?: number;
}

const ALL_PORTS: PortRange = { low: 1, high: 65_535 };
/** Stands for the whole of a protocol that has no ports. */
const PORTLESS: PortRange = { low: 0, high: 65_535 };
const WITH_PORTS: ReadonlyMap<string, Protocol> = new Map([
  ['tcp', PROTOCOL.tcp],
  ['udp', PROTOCOL.udp],
]);
const OTHER_SPELLING: ReadonlyMap<number, string> = new Map([
  [PROTOCOL.icmp, 'icmp'],
  [PROTOCOL.icmpv6, 'icmp'],
  [PROTOCOL.tcp, 'tcp/1-65535'],
  [PROTOCOL.udp, 'udp/1-65535'],
]);
const EXPECTED = 'expected tcp/8443, udp/5000-5100, icmp, protocol/132 or any';

function fail(text: string, why: string): never {
  throw new SymbolonError('TRAFFIC_INVALID', `traffic ${JSON.stringify(text)} ${why}; ${EXPECTED}`, { value: text });
}

function portOf(digits: string, text: string): number {
  try {
    return parsePort(Number(digits));
  } catch {
    return fail(text, `has the port ${digits}, which is not within 1 to 65535`);
  }
}

/**
 * Parses a class of traffic as policies write it: `tcp/8443`, `udp/5000-5100` (ports of the server, both included), `icmp` (ICMP over IPv4, ICMPv6
 * over IPv6; its `protocol` is 1 and stands for both), `protocol/132`, `any` (every IP protocol). One spelling for each class. Throws TRAFFIC_INVALID.
 */
export function parseTraffic(text: string): Traffic {
  if (text === 'any') return { text };
  if (text === 'icmp') return { protocol: PROTOCOL.icmp, text };
  const [, name = '', low = '', high] =
    /^([a-z]+)\/(0|[1-9]\d{0,5})(?:-(0|[1-9]\d{0,5}))?$/.exec(text) ?? fail(text, 'is not a class of traffic');
  const protocol = WITH_PORTS.get(name);
  if (protocol !== undefined) {
    const range = { lowPort: portOf(low, text), highPort: portOf(high ?? low, text) };
    return range.lowPort > range.highPort ? fail(text, 'has its ports in falling order') : { protocol, ...range, text };
  }
  if (name !== 'protocol' || high !== undefined) return fail(text, 'is not a class of traffic');
  const spelling = OTHER_SPELLING.get(Number(low));
  if (spelling !== undefined) return fail(text, `has a spelling of its own, ${spelling}`);
  try {
    return { protocol: parseProtocol(Number(low)), text };
  } catch {
    return fail(text, 'has a protocol number that is not within 0 to 255');
  }
}

/** The protocol that carries ICMP in a family. */
export function icmpOf(family: 4 | 6): Protocol {
  return family === 4 ? PROTOCOL.icmp : PROTOCOL.icmpv6;
}

/** What policies look at in a flow. */
export function flowClassOf(flow: Flow): FlowClass {
  const base = { family: flow.destination.family, protocol: flow.protocol };
  return flow.servicePort === undefined ? base : { ...base, servicePort: flow.servicePort };
}

/** The IP protocol that a class of traffic names in a family; undefined = all. */
export function protocolOf(traffic: Traffic, family: 4 | 6): Protocol | undefined {
  if (traffic.protocol === undefined) return undefined;
  return traffic.protocol === PROTOCOL.icmp ? icmpOf(family) : (traffic.protocol as Protocol);
}

function portRangeOf({ lowPort = ALL_PORTS.low, highPort = ALL_PORTS.high }: Traffic): PortRange {
  return { low: lowPort, high: highPort };
}

/** The ports of `protocol` that a class of traffic covers in a family: 0-65535 for a protocol without ports, undefined for none. */
export function portsOf(traffic: Traffic, protocol: Protocol, family: 4 | 6): PortRange | undefined {
  const named = protocolOf(traffic, family);
  if (named !== undefined && named !== protocol) return undefined;
  return hasPorts(protocol) ? portRangeOf(traffic) : PORTLESS;
}

/** True if the flow belongs to the class. A flow that lacks the port its protocol needs belongs to none. */
export function trafficCovers(traffic: Traffic, flow: FlowClass): boolean {
  const named = protocolOf(traffic, flow.family);
  if (named !== undefined && named !== flow.protocol) return false;
  if (!hasPorts(flow.protocol)) return true;
  const { low, high } = portRangeOf(traffic);
  return flow.servicePort !== undefined && low <= flow.servicePort && flow.servicePort <= high;
}
