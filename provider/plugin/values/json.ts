import { parse } from 'lossless-json';
import type { CtyType } from './type.ts';
import { exactNumber, isRecord, type Value } from './value.ts';

function conform(json: Value, type: CtyType): Value {
  if (json === null || json === undefined) return null;
  if (typeof type === 'string') return json;
  const [kind, inner] = type;
  if (kind === 'list' || kind === 'set')
    return Array.isArray(json) ? (json as readonly Value[]).map((element) => conform(element, inner)) : null;
  if (!isRecord(json)) return null;
  if (kind === 'map') return Object.fromEntries(Object.entries(json).map(([name, element]) => [name, conform(element, inner)]));
  return Object.fromEntries(Object.entries(inner).map(([name, of]) => [name, conform(json[name] ?? null, of)]));
}

/** Parses JSON without rounding numbers, which JSON.parse does beyond 2^53. Throws SyntaxError. */
export function parseExactJson(text: string): Value {
  return parse(text, null, exactNumber) as Value;
}

/**
 * Reads a value of a type from the JSON of a state file. Attributes that the type does not have are dropped, missing ones are null, so that state
 * of an older schema can be read.
 */
export function decodeStateJson(text: string, type: CtyType): Value {
  return conform(parseExactJson(text), type);
}
