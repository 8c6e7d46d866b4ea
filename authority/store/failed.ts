import { SymbolonError } from '#core/errors/error';

/** The store could not do something. */
export function failed(what: string, cause: unknown): SymbolonError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SymbolonError('STORE_FAILED', `the store could not ${what}: ${why}`, { what }, cause);
}
