import { Unknown } from './unknown.ts';

/** A number that neither a safe integer nor a 64-bit integer can hold exactly: its decimal text, as Terraform wrote it. */
export class Decimal {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A number without loss: `number` only for safe integers, `bigint` for larger ones, Decimal for everything else. */
export type ExactNumber = number | bigint | Decimal;

/** A Terraform value. Lists and sets are arrays, maps and objects are records. */
export type Value = null | string | boolean | ExactNumber | Unknown | readonly Value[] | ValueRecord;
export interface ValueRecord {
  readonly [name: string]: Value;
}

/** True for a map or an object. */
export function isRecord(value: Value | undefined): value is ValueRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Unknown) && !(value instanceof Decimal);
}

/** True if neither the value nor anything inside it is unknown. */
export function isWhollyKnown(value: Value): boolean {
  if (value instanceof Unknown) return false;
  if (Array.isArray(value)) return value.every(isWhollyKnown);
  return isRecord(value) ? Object.values(value).every(isWhollyKnown) : true;
}

/** An exact number from its decimal text. */
export function exactNumber(text: string): ExactNumber {
  if (!/^-?\d+$/.test(text)) return new Decimal(text);
  const integer = BigInt(text);
  return integer >= Number.MIN_SAFE_INTEGER && integer <= Number.MAX_SAFE_INTEGER ? Number(integer) : integer;
}
