import { addressToBytes, parseIpAddress } from '#core/network/address';

/** Whoever has an IPv6 address has all of its /64. */
const IPV6_PREFIX_BYTES = 8;

/** Whose a remote address is, for counting: an IPv4 address stands for itself (also written as IPv6), an IPv6 address for its /64. Throws ADDRESS_INVALID. */
export function peerNetwork(remoteAddress: string): string {
  // A link-local peer carries a zone, which is no part of the address.
  const address = parseIpAddress(remoteAddress.split('%')[0] ?? '');
  if (address.family === 4) return address.text;
  return `${Buffer.from(addressToBytes(address).subarray(0, IPV6_PREFIX_BYTES)).toString('hex')}/64`;
}
