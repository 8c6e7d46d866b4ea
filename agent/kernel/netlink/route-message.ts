import { addressFromBytes, type IpAddress } from '#core/network/address';
import { fixedPart, type NetlinkMessage, parseAttributes } from './message.ts';

/** struct rtmsg */
export const ROUTE_BYTES = 12;
/** RTA_*, include/uapi/linux/rtnetlink.h */
const ROUTE = { destination: 1, outInterface: 4, gateway: 5, multipath: 9, via: 18 } as const;
/** RTPROT_*: who made a route. */
export const ROUTE_PROTOCOL = { kernel: 2, routerAdvertisement: 9 } as const;
const UNICAST = 1;
const CLONED = 0x200; // an entry of the route cache, not of a table
const AF_INET = 2;
const AF_INET6 = 10;
const NEXT_HOP_BYTES = 8; // struct rtnexthop

/** A unicast route: where packets to a prefix leave. */
export interface Route {
  readonly destination: IpAddress;
  readonly prefixLength: number;
  readonly interfaceIndexes: readonly number[];
  /** Whether it leads to another router; a route without one leads to a neighbour. */
  readonly gateway: boolean;
  /** Who made it, as in ROUTE_PROTOCOL. */
  readonly protocol: number;
}

function nextHops(multipath: Buffer): { readonly indexes: readonly number[]; readonly gateway: boolean } {
  const indexes: number[] = [];
  let gateway = false;
  for (let at = 0; at + NEXT_HOP_BYTES <= multipath.length; ) {
    const length = multipath.readUInt16LE(at);
    if (length < NEXT_HOP_BYTES || at + length > multipath.length) break;
    indexes.push(multipath.readInt32LE(at + 4));
    const attributes = parseAttributes(multipath.subarray(at, at + length), NEXT_HOP_BYTES);
    gateway ||= attributes.has(ROUTE.gateway) || attributes.has(ROUTE.via);
    at += (length + 3) & ~3;
  }
  return { indexes, gateway };
}

/** Reads an RTM_NEWROUTE; undefined for what is not a unicast route of an IP family. Throws FRAME_INVALID. */
export function parseRoute(message: NetlinkMessage): Route | undefined {
  const fixed = fixedPart(message.body, ROUTE_BYTES);
  const family = fixed.readUInt8(0);
  if (fixed.readUInt8(7) !== UNICAST || (fixed.readUInt32LE(8) & CLONED) !== 0) return undefined;
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const attributes = parseAttributes(message.body, ROUTE_BYTES);
  const bytes = attributes.get(ROUTE.destination) ?? Buffer.alloc(family === AF_INET ? 4 : 16);
  if (bytes.length !== (family === AF_INET ? 4 : 16)) return undefined;
  const single = attributes.get(ROUTE.outInterface)?.readUInt32LE(0);
  const several = nextHops(attributes.get(ROUTE.multipath) ?? Buffer.alloc(0));
  return {
    // 16 zero bytes are ::, never an IPv4-mapped address: the family stays what it is.
    destination: addressFromBytes(bytes),
    prefixLength: fixed.readUInt8(1),
    interfaceIndexes: single === undefined ? several.indexes : [single],
    gateway: attributes.has(ROUTE.gateway) || attributes.has(ROUTE.via) || several.gateway,
    protocol: fixed.readUInt8(5),
  };
}
