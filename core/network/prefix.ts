import { SymbolonError } from '#core/errors/error';
import { addressFromBytes, addressToBytes, type IpAddress, parseIpAddress } from './address.ts';

/** An address prefix. `length` counts bits of its own family (0-32 or 0-128); bits after it are zero. */
export interface IpPrefix {
  readonly address: IpAddress;
  readonly length: number;
  readonly text: string;
}

/** Bits of the prefix within the 16-byte form: IPv4 lengths count from bit 96. */
export function prefixBits(prefix: IpPrefix): number {
  return prefix.address.family === 4 ? prefix.length + 96 : prefix.length;
}

function bit(bytes: Uint8Array, index: number): number {
  return ((bytes[index >> 3] ?? 0) >> (7 - (index & 7))) & 1;
}

/** Parses `10.1.0.0/16` or `2001:db8::/32`; a bare address is its full-length prefix. Host bits must be zero. Throws PREFIX_INVALID. */
export function parseIpPrefix(text: string): IpPrefix {
  const fail = (why: string): never => {
    throw new SymbolonError('PREFIX_INVALID', `${JSON.stringify(text)} ${why}`, { value: text });
  };
  const slash = text.indexOf('/');
  let address: IpAddress;
  try {
    address = parseIpAddress(slash < 0 ? text : text.slice(0, slash));
  } catch {
    return fail('is not an address prefix; write it like 10.1.0.0/16 or 2001:db8::/32');
  }
  // Its length could count from either family's first bit.
  if (address.family === 4 && text.includes(':')) return fail(`is an IPv4 prefix in IPv6 form; write it as ${address.text}/LENGTH`);
  const max = address.family === 4 ? 32 : 128;
  const lengthText = slash < 0 ? String(max) : text.slice(slash + 1);
  const length = /^(0|[1-9]\d{0,2})$/.test(lengthText) ? Number(lengthText) : Number.NaN;
  if (!(length <= max)) return fail(`has no prefix length of 0 to ${max}`);
  const bytes = addressToBytes(address);
  const kept = Uint8Array.from(bytes);
  for (let i = length + (max === 32 ? 96 : 0); i < 128; i++) kept[i >> 3] = (kept[i >> 3] ?? 0) & ~(0x80 >> (i & 7));
  const network = addressFromBytes(kept);
  if (network.text !== address.text) return fail(`has bits set after its length; did you mean ${network.text}/${length}?`);
  return { address, length, text: `${address.text}/${length}` };
}

/** True if the address lies inside the prefix (of the same family). */
export function prefixContains(prefix: IpPrefix, address: IpAddress): boolean {
  if (prefix.address.family !== address.family) return false;
  const a = addressToBytes(prefix.address);
  const b = addressToBytes(address);
  for (let i = 0; i < prefixBits(prefix); i++) if (bit(a, i) !== bit(b, i)) return false;
  return true;
}

/** True if the two prefixes have an address in common. */
export function prefixesOverlap(a: IpPrefix, b: IpPrefix): boolean {
  return a.length <= b.length ? prefixContains(a, b.address) : prefixContains(b, a.address);
}

/** A table that answers with the value of the longest prefix that contains an address. Setting a prefix again replaces its value. */
export class PrefixTable<T> {
  private readonly byBits = new Map<number, Map<string, T>>();
  private lengths: number[] = [];

  private static key(bytes: Uint8Array, bits: number): string {
    const kept = Uint8Array.from(bytes);
    for (let i = bits; i < 128; i++) kept[i >> 3] = (kept[i >> 3] ?? 0) & ~(0x80 >> (i & 7));
    return String.fromCharCode(...kept);
  }

  set(prefix: IpPrefix, value: T): void {
    const bits = prefixBits(prefix);
    let group = this.byBits.get(bits);
    if (!group) {
      group = new Map();
      this.byBits.set(bits, group);
      this.lengths = [...this.byBits.keys()].sort((a, b) => b - a);
    }
    group.set(PrefixTable.key(addressToBytes(prefix.address), bits), value);
  }

  longestMatch(address: IpAddress): T | undefined {
    const bytes = addressToBytes(address);
    for (const bits of this.lengths) {
      // An IPv4 address must not fall into an IPv6 prefix that merely covers the mapped range.
      if (address.family === 4 && bits < 96) continue;
      const value = this.byBits.get(bits)?.get(PrefixTable.key(bytes, bits));
      if (value !== undefined) return value;
    }
    return undefined;
  }
}
