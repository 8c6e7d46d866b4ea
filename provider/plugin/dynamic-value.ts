import type { DynamicValue } from '#proto/gen/tfplugin/tfplugin6';
import type { Attributes } from './schema/attribute.ts';
import { typeOfAttributes } from './schema/type-of.ts';
import { decodeStateJson } from './values/json.ts';
import { decodeMsgpack, encodeMsgpack } from './values/msgpack.ts';
import { isRecord, type ValueRecord } from './values/value.ts';

/** The object that a DynamicValue of a schema holds; null for none. */
export function fromDynamic(value: DynamicValue | undefined, attributes: Attributes): ValueRecord | null {
  if (!value) return null;
  const type = typeOfAttributes(attributes);
  const decoded =
    value.msgpack.length > 0 ? decodeMsgpack(value.msgpack, type) : decodeStateJson(Buffer.from(value.json).toString() || 'null', type);
  return isRecord(decoded) ? decoded : null;
}

/** The DynamicValue of an object of a schema, or of null. */
export function toDynamic(value: ValueRecord | null, attributes: Attributes): DynamicValue {
  return { msgpack: encodeMsgpack(value, typeOfAttributes(attributes)), json: Buffer.alloc(0) };
}
