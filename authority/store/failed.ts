import { describeError, SymbolonError } from '#core/errors/error';

/** The store could not do something. */
export function failed(what: string, cause: unknown): SymbolonError {
  return new SymbolonError('STORE_FAILED', `the store could not ${what}: ${describeError(cause)}`, { what }, cause);
}
