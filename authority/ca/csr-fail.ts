import { SymbolonError } from '#core/errors/error';

/** Refuses a certification request. Throws CSR_INVALID with the rule. */
export function csrFail(rule: string, why: string, cause?: unknown): never {
  throw new SymbolonError('CSR_INVALID', `the certification request ${why}`, { rule }, cause);
}
