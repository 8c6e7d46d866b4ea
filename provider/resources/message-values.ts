import { SymbolonError } from '#core/errors/error';
import type { Written } from './stored-kind.ts';

/** Protocol messages have no null: an empty text stands for "not set". */
export function emptyToNull(text: string): string | null {
  return text === '' ? null : text;
}

/** Likewise for sets. */
export function noneToNull(texts: readonly string[]): readonly string[] | null {
  return texts.length === 0 ? null : texts;
}

/** The object in the answer to a change. Throws RPC_FAILED if the authority left it out. */
export function writtenObject<M>(message: M | undefined, revision: bigint): Written<M> {
  if (message !== undefined) return { message, revision };
  throw new SymbolonError('RPC_FAILED', 'the authority confirmed a change without the changed object; it is of another version', {
    method: '',
    status: 0,
  });
}
