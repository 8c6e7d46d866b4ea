import { addressFromBytes, type IpAddress } from '#core/network/address';
import { fixedPart, type NetlinkMessage, parseAttributes } from './message.ts';

/** struct ifaddrmsg */
export const ADDRESS_BYTES = 8;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
/** IFA_F_PERMANENT: an administrator's, not one that an advertisement or a lease has brought. */
const PERMANENT = 0x80;

/** An address of this network namespace. */
export interface InterfaceAddress {
  readonly interfaceIndex: number;
  readonly address: IpAddress;
  readonly prefixLength: number;
  /** False for one that goes by itself: of a router's advertisement or a lease. */
  readonly permanent: boolean;
}

/** Reads an RTM_NEWADDR; undefined for families other than IP. Throws FRAME_INVALID. */
export function parseInterfaceAddress(message: NetlinkMessage): InterfaceAddress | undefined {
  const fixed = fixedPart(message.body, ADDRESS_BYTES);
  const attributes = parseAttributes(message.body, ADDRESS_BYTES);
  // On a point-to-point link IFA_ADDRESS is the other end's; IFA_LOCAL is always ours.
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  if (bytes?.length !== 4 && bytes?.length !== 16) return undefined;
  // The fixed struct has room for the first eight flags only; PERMANENT is one of them.
  const flags = attributes.get(IFA_FLAGS)?.readUInt32LE(0) ?? fixed.readUInt8(2);
  return {
    interfaceIndex: fixed.readUInt32LE(4),
    address: addressFromBytes(bytes),
    prefixLength: fixed.readUInt8(1),
    permanent: (flags & PERMANENT) !== 0,
  };
}
