import { SymbolonError } from '#core/errors/error';
import type { TextRule } from '../plugin/schema/attribute.ts';

/** One of some words. Words in `later` are part of the model, and refused as not supported yet. */
export function oneOf(words: readonly string[], later: readonly string[] = []): TextRule {
  return {
    check: (text) => {
      if (words.includes(text)) return;
      const expected = `expected ${words.map((w) => JSON.stringify(w)).join(' or ')}`;
      const why = later.includes(text) ? 'is not supported yet' : 'is none of the known words';
      throw new SymbolonError('CONFIG_INVALID', `${JSON.stringify(text)} ${why}; ${expected}`, { path: '', value: text });
    },
  };
}
