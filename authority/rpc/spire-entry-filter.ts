import { SymbolonError } from '#core/errors/error';
import type { EntryFilter } from '#proto/gen/spire/server/entry';
import type { IdentityBody } from '../registry/identity.ts';
import { selectorText, spiffeIdFrom } from './spire-types.ts';

/** SPIRE's ways to compare a set that an entry has with one that is asked for, by the number that selectors and trust domains share. */
const MATCHES: readonly ((isSubset: boolean, isSuperset: boolean, meets: boolean) => boolean)[] = [
  (isSubset, isSuperset) => isSubset && isSuperset,
  (isSubset) => isSubset,
  (_isSubset, isSuperset) => isSuperset,
  (_isSubset, _isSuperset, meets) => meets,
];

function setMatches(has: readonly string[], asked: readonly string[], behavior: number): boolean {
  const matches = MATCHES[behavior];
  if (!matches) {
    throw new SymbolonError('REQUEST_INVALID', `the match behavior ${behavior} is unknown`, { field: 'match', value: String(behavior) });
  }
  return matches(
    has.every((value) => asked.includes(value)),
    asked.every((value) => has.includes(value)),
    asked.some((value) => has.includes(value)),
  );
}

/** A test of whether an identity passes SPIRE's filter. Throws SPIFFE_ID_INVALID for a filter by no SPIFFE ID. */
export function entryFilter(filter: EntryFilter | undefined): (body: IdentityBody) => boolean {
  if (!filter) return () => true;
  const { bySpiffeId, byParentId, bySelectors, byFederatesWith, byHint, byDownstream } = filter;
  const tests: ((body: IdentityBody) => boolean)[] = [];
  if (bySpiffeId) {
    const id = spiffeIdFrom(bySpiffeId, 'by_spiffe_id');
    tests.push((body) => body.spiffeId === id);
  }
  if (byParentId) {
    const id = spiffeIdFrom(byParentId, 'by_parent_id');
    tests.push((body) => body.parentId === id);
  }
  if (bySelectors) {
    const selectors = bySelectors.selectors.map(selectorText);
    tests.push((body) => setMatches(body.selectors, selectors, bySelectors.match));
  }
  if (byFederatesWith) tests.push((body) => setMatches(body.federatesWith, byFederatesWith.trustDomains, byFederatesWith.match));
  if (byHint !== undefined) tests.push((body) => body.hint === byHint);
  // No entry is downstream here.
  if (byDownstream !== undefined) tests.push(() => !byDownstream);
  return (body) => tests.every((passes) => passes(body));
}
