import { describeError, SymbolonError } from '#core/errors/error';
import { parseSelector } from '#core/registration/selector';
import { parseSpiffeId, parseTrustDomain, pathOf, trustDomainOf } from '#core/spiffe/id';
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

function malformed(field: string, value: string, why: string, cause?: unknown): never {
  throw new SymbolonError('REQUEST_INVALID', `the filter ${field} ${why}`, { field, value }, cause);
}

/** A test of a set against the one that a filter asks for. As in SPIRE, an empty one is no filter. Throws REQUEST_INVALID. */
function setFilter(field: string, asked: readonly string[], behavior: number): (has: readonly string[]) => boolean {
  const matches = MATCHES[behavior];
  if (!matches) return malformed(field, String(behavior), `has the match behavior ${behavior}, which is unknown`);
  if (asked.length === 0) return malformed(field, '', 'names nothing; name at least one or leave the filter out');
  return (has) =>
    matches(
      has.every((value) => asked.includes(value)),
      asked.every((value) => has.includes(value)),
      asked.some((value) => has.includes(value)),
    );
}

function parsed<T>(field: string, text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (error) {
    return malformed(field, text, `cannot be read: ${describeError(error)}`, error);
  }
}

/** SPIRE's command line sends trust domains as they were typed: by name or by SPIFFE ID. */
function trustDomainFrom(text: string): string {
  if (!text.startsWith('spiffe://')) return parseTrustDomain(text);
  const id = parseSpiffeId(text);
  return pathOf(id) === '' ? trustDomainOf(id) : malformed('by_federates_with', text, `names ${id}, which is no trust domain`);
}

/** A test of whether an identity passes SPIRE's filter. Throws REQUEST_INVALID or SPIFFE_ID_INVALID for a malformed one. */
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
    const texts = bySelectors.selectors.map(selectorText);
    for (const text of texts) parsed('by_selectors', text, parseSelector);
    const passes = setFilter('by_selectors', texts, bySelectors.match);
    tests.push((body) => passes(body.selectors));
  }
  if (byFederatesWith) {
    const domains = byFederatesWith.trustDomains.map((text) => parsed('by_federates_with', text, trustDomainFrom));
    const passes = setFilter('by_federates_with', domains, byFederatesWith.match);
    tests.push((body) => passes(body.federatesWith));
  }
  if (byHint !== undefined) tests.push((body) => body.hint === byHint);
  // No entry is downstream here.
  if (byDownstream !== undefined) tests.push(() => !byDownstream);
  return (body) => tests.every((passes) => passes(body));
}
