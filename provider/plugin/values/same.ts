import type { CtyType } from './type.ts';
import { isUnknown } from './unknown.ts';
import { Decimal, isRecord, type Value } from './value.ts';

function canonicalText(value: Value, type: CtyType): string {
  if (value === null) return 'null';
  if (isUnknown(value)) return '?';
  if (value instanceof Decimal) return value.text;
  if (typeof value === 'bigint') return value.toString();
  const [kind, inner] = typeof type === 'string' ? [type, undefined] : type;
  if (Array.isArray(value)) {
    const texts = (value as readonly Value[]).map((v) => canonicalText(v, inner as CtyType));
    return `[${(kind === 'set' ? texts.sort() : texts).join(',')}]`;
  }
  if (!isRecord(value)) return JSON.stringify(value);
  const typeOf = (name: string): CtyType => (kind === 'object' ? (inner[name] ?? 'string') : (inner as CtyType));
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalText(value[name] ?? null, typeOf(name))}`);
  return `{${members.join(',')}}`;
}

/** True if two values of a type are the same: sets without regard to order. An unknown value is the same as an unknown value only. */
export function sameValue(a: Value, b: Value, type: CtyType): boolean {
  return canonicalText(a, type) === canonicalText(b, type);
}
