import { SymbolonError } from '#core/errors/error';

/**
 * An IPv4 or IPv6 address. `text` is canonical (RFC 5952; dotted quad for IPv4), so two addresses are equal exactly when their texts are.
 * An IPv4-mapped IPv6 address is the IPv4 address. Zones (`%eth0`) are refused.
 */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly text: string;
}

const MAPPED = '00000000000000000000ffff'; // ::ffff:0:0/96, RFC 4291 section 2.5.5.2

function ipv4Bytes(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = parts.map((p) => (/^(0|[1-9]\d{0,2})$/.test(p) ? Number(p) : 256));
  return bytes.every((b) => b < 256) ? bytes : undefined;
}

function ipv6Groups(text: string): number[] | undefined {
  let source = text;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted) {
    const v4 = ipv4Bytes(dotted[2] ?? '');
    if (!v4) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = v4;
    source = `${dotted[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const halves = source.split('::');
  if (halves.length > 2) return undefined;
  const groups = (half: string): (number | undefined)[] =>
    half === '' ? [] : half.split(':').map((g) => (/^[0-9a-fA-F]{1,4}$/.test(g) ? Number.parseInt(g, 16) : undefined));
  const head = groups(halves[0] ?? '');
  const tail = halves.length === 2 ? groups(halves[1] ?? '') : [];
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...Array<number>(missing).fill(0), ...tail];
  return all.every((g) => g !== undefined) ? all : undefined;
}

function formatIpv6(groups: readonly number[]): string {
  let best = { start: -1, length: 1 }; // RFC 5952 section 4.2.2: a single zero group is not shortened
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && groups[i + n] === 0) n++;
    if (n > best.length) best = { start: i, length: n };
  }
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((g) => g.toString(16))
      .join(':');
  return best.start < 0 ? hex(0, 8) : `${hex(0, best.start)}::${hex(best.start + best.length, 8)}`;
}

/** The 16 bytes of an address, IPv4 as IPv4-mapped IPv6: the form in map keys and in canonical flows. */
export function addressToBytes(address: IpAddress): Uint8Array {
  const out = new Uint8Array(16);
  if (address.family === 4) {
    out.set(Uint8Array.from({ length: 12 }, (_, i) => Number.parseInt(MAPPED.slice(2 * i, 2 * i + 2), 16)));
    out.set(ipv4Bytes(address.text) ?? [], 12);
    return out;
  }
  (ipv6Groups(address.text) ?? []).forEach((g, i) => {
    out[2 * i] = g >> 8;
    out[2 * i + 1] = g & 0xff;
  });
  return out;
}

/** The address of 16 bytes (IPv4-mapped or IPv6) or of 4 bytes (IPv4). Throws ADDRESS_INVALID for any other length. */
export function addressFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length === 4) return { family: 4, text: bytes.join('.') };
  if (bytes.length !== 16) {
    throw new SymbolonError('ADDRESS_INVALID', `${bytes.length} bytes are no IP address; expected 4 or 16`, {
      value: `${bytes.length} bytes`,
    });
  }
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
  if (hex.startsWith(MAPPED)) return { family: 4, text: bytes.subarray(12).join('.') };
  return { family: 6, text: formatIpv6(Array.from({ length: 8 }, (_, i) => Number.parseInt(hex.slice(4 * i, 4 * i + 4), 16))) };
}

/** Parses `192.0.2.1` or `2001:db8::1` (RFC 4291 section 2.2). Throws ADDRESS_INVALID. */
export function parseIpAddress(text: string): IpAddress {
  const v4 = ipv4Bytes(text);
  if (v4) return { family: 4, text };
  const groups = text.includes(':') ? ipv6Groups(text) : undefined;
  if (!groups) {
    throw new SymbolonError('ADDRESS_INVALID', `${JSON.stringify(text)} is not an IP address; write it like 192.0.2.1 or 2001:db8::1`, {
      value: text,
    });
  }
  return addressFromBytes(Uint8Array.from(groups.flatMap((g) => [g >> 8, g & 0xff])));
}

/** True if both are the same address. */
export function sameAddress(a: IpAddress, b: IpAddress): boolean {
  return a.text === b.text;
}
