import { decode, encode, ExtData, ExtensionCodec } from '@msgpack/msgpack';
import { assertNever } from '#core/errors/error';
import type { CtyType } from './type.ts';
import { type Refinements, UNKNOWN, Unknown } from './unknown.ts';
import { Decimal, type ExactNumber, exactNumber, isRecord, type Value } from './value.ts';

// With nothing registered every extension decodes to ExtData, and Terraform uses extensions only for unknown values.
const OPTIONS = { extensionCodec: new ExtensionCodec(), useBigInt64: true } as const;
const PLAIN_UNKNOWN = 0;
const REFINED_UNKNOWN = 12;
const REFINEMENT = { notNull: '1', prefix: '2' } as const;

function refinementsOf(data: Uint8Array): Refinements {
  const map = decode(data, { ...OPTIONS, mapKeyConverter: String }) as Readonly<Record<string, unknown>>;
  const prefix = map[REFINEMENT.prefix];
  return {
    ...(typeof prefix === 'string' ? { prefix } : {}),
    ...(map[REFINEMENT.notNull] === false ? { notNull: true } : {}),
  };
}

function numberFromWire(wire: unknown): ExactNumber {
  if (typeof wire === 'bigint') return exactNumber(wire.toString());
  if (typeof wire === 'number') return Number.isSafeInteger(wire) ? wire : new Decimal(String(wire));
  if (typeof wire === 'string') return exactNumber(wire);
  throw new TypeError(`Terraform sent ${typeof wire} where a number belongs`);
}

function fromWire(wire: unknown, type: CtyType): Value {
  if (wire instanceof ExtData) {
    const data = typeof wire.data === 'function' ? wire.data(0) : wire.data;
    return wire.type === REFINED_UNKNOWN ? new Unknown(refinementsOf(data)) : UNKNOWN;
  }
  if (wire === null || wire === undefined) return null;
  if (type === 'number') return numberFromWire(wire);
  if (type === 'string' || type === 'bool') return wire as string | boolean;
  const [kind, inner] = type;
  switch (kind) {
    case 'list':
    case 'set':
      return (wire as readonly unknown[]).map((element) => fromWire(element, inner));
    case 'map':
      return Object.fromEntries(Object.entries(wire).map(([name, element]) => [name, fromWire(element, inner)]));
    case 'object':
      return Object.fromEntries(Object.entries(inner).map(([name, of]) => [name, fromWire((wire as Record<string, unknown>)[name], of)]));
    default:
      return assertNever(kind);
  }
}

/** Numbers go out as integers or as decimal text, never as float64: 0.1 in binary is another number than Terraform's 0.1. */
function numberToWire(value: ExactNumber): number | bigint | string {
  if (value instanceof Decimal) return value.text;
  if (typeof value === 'bigint') return value >= -(2n ** 63n) && value < 2n ** 63n ? value : value.toString();
  return Number.isSafeInteger(value) ? value : String(value);
}

function toWire(value: Value, type: CtyType): unknown {
  if (value instanceof Unknown) return new ExtData(PLAIN_UNKNOWN, new Uint8Array([0]));
  if (value === null) return null;
  if (type === 'number') return numberToWire(value as ExactNumber);
  if (type === 'string' || type === 'bool') return value;
  const [kind, inner] = type;
  if (kind === 'list' || kind === 'set') return (value as readonly Value[]).map((element) => toWire(element, inner));
  if (!isRecord(value)) throw new TypeError(`a value of type ${kind} is missing its members`);
  if (kind === 'map') return Object.fromEntries(Object.entries(value).map(([name, element]) => [name, toWire(element, inner)]));
  // Terraform wants every attribute of an object, null ones too, and no other.
  return Object.fromEntries(Object.entries(inner).map(([name, of]) => [name, toWire(value[name] ?? null, of)]));
}

/** Reads a value of a type from Terraform's msgpack form (its "object wire format"). */
export function decodeMsgpack(bytes: Uint8Array, type: CtyType): Value {
  return fromWire(decode(bytes, OPTIONS), type);
}

/** Writes a value of a type in Terraform's msgpack form. Refinements of unknown values are left out: they are promises, and we make none. */
export function encodeMsgpack(value: Value, type: CtyType): Buffer {
  return Buffer.from(encode(toWire(value, type), OPTIONS));
}
