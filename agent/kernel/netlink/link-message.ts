import { attributeText, fixedPart, type NetlinkMessage, parseAttributes } from './message.ts';

/** struct ifinfomsg */
export const LINK_BYTES = 16;
/** IFLA_*, include/uapi/linux/if_link.h */
export const LINK = { address: 1, name: 3, mtu: 4, peer: 5, queueLength: 13, info: 18, familySpecific: 26, peerNamespaceId: 37 } as const;
export const INTERFACE_UP = 1;
export const INTERFACE_NO_ARP = 0x80;
const INFO_KIND = 1;
const ARPHRD_ETHER = 1; // include/uapi/linux/if_arp.h

/** A network interface as the kernel describes it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** `veth`, `tun`, `bridge` …; undefined for hardware and loopback. */
  readonly kind: string | undefined;
  readonly up: boolean;
  /** Whether its frames begin with an Ethernet header. */
  readonly ethernet: boolean;
  /** Hardware address in hex, without separators. */
  readonly mac: string;
  /** Of a veth: the peer's index, in the peer's namespace. */
  readonly peerIndex: number | undefined;
  /** The id that this network namespace has given to the peer's; undefined if the peer is in this one. */
  readonly peerNamespaceId: number | undefined;
}

/** Reads an RTM_NEWLINK or RTM_DELLINK. Throws FRAME_INVALID. */
export function parseLink(message: NetlinkMessage): Link {
  const fixed = fixedPart(message.body, LINK_BYTES);
  const attributes = parseAttributes(message.body, LINK_BYTES);
  const info = attributes.get(LINK.info);
  const kind = info && parseAttributes(info, 0).get(INFO_KIND);
  return {
    index: fixed.readInt32LE(4),
    name: attributeText(attributes.get(LINK.name) ?? Buffer.alloc(0)),
    kind: kind && attributeText(kind),
    ethernet: fixed.readUInt16LE(2) === ARPHRD_ETHER,
    up: (fixed.readUInt32LE(8) & INTERFACE_UP) !== 0,
    mac: attributes.get(LINK.address)?.toString('hex') ?? '',
    peerIndex: attributes.get(LINK.peer)?.readUInt32LE(0),
    peerNamespaceId: attributes.get(LINK.peerNamespaceId)?.readInt32LE(0),
  };
}
