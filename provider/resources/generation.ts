import type { Ownership } from '#proto/gen/symbolon/authority/types';
import type { PrivateState } from '../plugin/private-state.ts';

/** Private state of an object: the generation that was read last, which a change must still find. */
export function rememberGeneration(ownership: Ownership | undefined): PrivateState {
  return { generation: String(ownership?.generation ?? 0n) };
}

/** The generation that was read last; undefined if none was. */
export function rememberedGeneration(state: PrivateState): bigint | undefined {
  const text = state['generation'];
  return text !== undefined && /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
}
