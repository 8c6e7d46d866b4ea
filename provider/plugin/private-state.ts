import { isRecord } from './values/value.ts';
import { parseExactJson } from './values/json.ts';

/** What a resource keeps beside its state: in the state file, but neither shown nor compared. Texts only; never a secret. */
export type PrivateState = Readonly<Record<string, string>>;

/** Reads private state; anything that is none of ours counts as empty. */
export function decodePrivateState(bytes: Uint8Array): PrivateState {
  if (bytes.length === 0) return {};
  try {
    const json = parseExactJson(Buffer.from(bytes).toString());
    if (!isRecord(json)) return {};
    return Object.fromEntries(Object.entries(json).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
  } catch {
    return {};
  }
}

/** The bytes of private state. */
export function encodePrivateState(state: PrivateState): Buffer {
  return Buffer.from(JSON.stringify(state));
}
