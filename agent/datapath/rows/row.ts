import { SymbolonError } from '#core/errors/error';

type Kind = 'u8' | 'u16' | 'u32' | 'u64' | 'be16' | 'bytes' | (string & {});

/** A struct of bpf/maps.h as bpf/gen/layout.ts describes it. */
export interface RowLayout {
  readonly size: number;
  readonly fields: { readonly [name: string]: { readonly offset: number; readonly size: number; readonly kind: Kind } };
}

type ValueOf<K> = K extends 'u64' ? bigint : K extends 'u8' | 'u16' | 'u32' | 'be16' ? number : Uint8Array;

/** The values of a row's fields: u64 as bigint, arrays as raw bytes, be16 as the number that it means. */
export type RowValues<L extends RowLayout> = { readonly [F in keyof L['fields']]: ValueOf<L['fields'][F]['kind']> };

function wrongSize(field: string, got: number, expected: number): SymbolonError<'FRAME_INVALID'> {
  return new SymbolonError('FRAME_INVALID', `${field} has ${got} bytes, expected ${expected}`, { rule: 'row size' });
}

/** The bytes of a row; fields that are not given, and padding, are zero. */
export function encodeRow<L extends RowLayout>(layout: L, values: Partial<RowValues<L>>): Buffer {
  const out = Buffer.alloc(layout.size);
  for (const [name, value] of Object.entries<number | bigint | Uint8Array | undefined>(values)) {
    const field = layout.fields[name];
    if (field === undefined || value === undefined) continue;
    if (value instanceof Uint8Array) {
      if (value.length > field.size) throw wrongSize(name, value.length, field.size);
      out.set(value, field.offset);
    } else if (typeof value === 'bigint') out.writeBigUInt64LE(value, field.offset);
    else if (field.kind === 'be16') out.writeUInt16BE(value, field.offset);
    else out.writeUIntLE(value, field.offset, field.size);
  }
  return out;
}

/** The values of a row's fields. Throws FRAME_INVALID if the bytes are not of the row's size. */
export function decodeRow<L extends RowLayout>(layout: L, row: Buffer): RowValues<L> {
  if (row.length !== layout.size) throw wrongSize('a row', row.length, layout.size);
  const values: Record<string, number | bigint | Uint8Array> = {};
  for (const [name, { offset, size, kind }] of Object.entries(layout.fields)) {
    if (kind === 'u64') values[name] = row.readBigUInt64LE(offset);
    else if (kind === 'be16') values[name] = row.readUInt16BE(offset);
    else if (kind === 'u8' || kind === 'u16' || kind === 'u32') values[name] = row.readUIntLE(offset, size);
    else values[name] = Uint8Array.from(row.subarray(offset, offset + size));
  }
  return values as RowValues<L>;
}
