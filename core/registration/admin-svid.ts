import { SymbolonError } from '#core/errors/error';
import { parseCertificate } from '#core/spiffe/certificate';
import { leafSpiffeId } from '#core/spiffe/leaf';
import { type SpiffeId, type TrustDomain, trustDomainOf } from '#core/spiffe/id';
import { formatInstant, type Instant } from '#core/time/instant';
import { adminRightsOf } from './node-id.ts';

const NEW_ONE = 'make a new one with `symbolon authority admin-svid`';

/**
 * Checks one's own chain (DER, leaf first) before it is presented to an authority, which would only close the connection: an administrator's or
 * reader's SVID of that trust domain, valid at this moment. Returns its ID. Throws SVID_EXPIRED, SVID_INVALID, CERTIFICATE_INVALID or DER_INVALID; who
 * signed it is the authority's to judge.
 */
export function checkAdminSvid(chain: readonly Uint8Array[], trustDomain: TrustDomain, at: Instant): SpiffeId {
  const [leaf, ...rest] = chain.map(parseCertificate);
  if (leaf === undefined) throw new SymbolonError('SVID_INVALID', `the chain is empty; ${NEW_ONE}`, { rule: 'chain' });
  const id = leafSpiffeId(leaf);
  if (trustDomainOf(id) !== trustDomain || adminRightsOf(id) === undefined) {
    throw new SymbolonError(
      'SVID_INVALID',
      `cert is that of ${id}; the authority of ${trustDomain} expects spiffe://${trustDomain}/symbolon/admin/<name> or …/reader/<name>; ${NEW_ONE}`,
      { rule: 'admin', spiffeId: id },
    );
  }
  for (const certificate of [leaf, ...rest]) {
    const { notBefore, notAfter } = certificate;
    const what = certificate === leaf ? `cert of ${id}` : `a certificate in the chain of ${id}`;
    const context = { spiffeId: id, notBeforeMs: notBefore, notAfterMs: notAfter };
    if (at > notAfter) throw new SymbolonError('SVID_EXPIRED', `${what} expired at ${formatInstant(notAfter)}; ${NEW_ONE}`, context);
    if (at < notBefore) {
      throw new SymbolonError(
        'SVID_EXPIRED',
        `${what} is not valid before ${formatInstant(notBefore)}, and it is ${formatInstant(at)} here; correct the clock, or ${NEW_ONE}`,
        context,
      );
    }
  }
  return id;
}
