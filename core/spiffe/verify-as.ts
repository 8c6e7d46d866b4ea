import { SymbolonError } from '#core/errors/error';
import type { Instant } from '#core/time/instant';
import type { BundleSet } from './bundle.ts';
import type { SpiffeId } from './id.ts';
import type { X509Svid } from './svid.ts';
import { verifyX509Svid } from './verify.ts';

/** Verifies a chain, and that it is the SVID of exactly `wanted`. Throws what verifyX509Svid throws, and SVID_UNTRUSTED for another ID. */
export function verifyX509SvidAs(wanted: SpiffeId, chain: readonly Uint8Array[], bundles: BundleSet, at: Instant): X509Svid {
  const svid = verifyX509Svid(chain, bundles, at);
  if (svid.id === wanted) return svid;
  throw new SymbolonError('SVID_UNTRUSTED', `the other end proved to be ${svid.id}; expected ${wanted}`, { rule: 'id', spiffeId: svid.id });
}
