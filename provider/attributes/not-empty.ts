import { SymbolonError } from '#core/errors/error';
import type { TextRule } from '../plugin/schema/attribute.ts';

/** A text that says something: an empty one is most often a variable that nobody has set. */
export const NOT_EMPTY: TextRule = {
  check: (text) => {
    if (text.trim() === '')
      throw new SymbolonError('CONFIG_INVALID', 'it is empty; give it a value or leave it out', { path: '', value: text });
  },
};
