// JSON with 64-bit integers: a bigint travels as "#123".
export function writeWire(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? `#${v}` : v));
}

export function readWire(text: string): unknown {
  return JSON.parse(text, (_, v: unknown) => (typeof v === 'string' && /^#\d+$/.test(v) ? BigInt(v.slice(1)) : v));
}
