import { SymbolonError } from '#core/errors/error';
import { parseTrustDomain } from '#core/spiffe/id';
import type { TextRule } from '../plugin/schema/attribute.ts';

/** A trust domain's name, `east.example`. */
export const TRUST_DOMAIN: TextRule = {
  check: parseTrustDomain,
  checkPrefix: (prefix) => {
    // Every beginning of a trust domain's name is itself one, but for the empty one.
    if (prefix === '') return;
    try {
      parseTrustDomain(prefix);
    } catch (error) {
      throw new SymbolonError(
        'TRUST_DOMAIN_INVALID',
        `a text that begins with ${JSON.stringify(prefix)} is no trust domain`,
        { value: prefix },
        error,
      );
    }
  },
};
