import { expect, test } from '@jest/globals';
import { EntryFilter } from '#proto/gen/spire/server/entry';
import { FederatesWithMatch_MatchBehavior, SelectorMatch_MatchBehavior } from '#proto/gen/spire/types';
import type { IdentityBody } from '../registry/identity.ts';
import { entryFilter } from './spire-entry-filter.ts';

const body = (path: string, more: Partial<IdentityBody>): IdentityBody => ({
  spiffeId: `spiffe://east.example${path}`,
  parentId: 'spiffe://east.example/symbolon/node/east-1',
  selectors: ['unix:uid:1'],
  addresses: [],
  federatesWith: [],
  x509SvidTtlSeconds: 0,
  dnsNames: [],
  hint: '',
  ...more,
});
const BODIES = [
  body('/none', {}),
  body('/west', { federatesWith: ['west.example'] }),
  body('/both', { federatesWith: ['north.example', 'west.example'] }),
];
const found = (filter: Partial<EntryFilter>): readonly string[] => {
  const passes = entryFilter(EntryFilter.fromPartial(filter));
  return BODIES.filter(passes).map((each) => each.spiffeId.replace('spiffe://east.example', ''));
};
const { MATCH_EXACT, MATCH_SUBSET, MATCH_SUPERSET, MATCH_ANY, UNRECOGNIZED } = FederatesWithMatch_MatchBehavior;
const Selectors = SelectorMatch_MatchBehavior;

test.each<[string, Partial<EntryFilter>, readonly string[]]>([
  ['exactly a trust domain', { byFederatesWith: { trustDomains: ['west.example'], match: MATCH_EXACT } }, ['/west']],
  ['at most a trust domain', { byFederatesWith: { trustDomains: ['west.example'], match: MATCH_SUBSET } }, ['/none', '/west']],
  ['at least a trust domain', { byFederatesWith: { trustDomains: ['west.example'], match: MATCH_SUPERSET } }, ['/west', '/both']],
  ['any of two', { byFederatesWith: { trustDomains: ['west.example', 'south.example'], match: MATCH_ANY } }, ['/west', '/both']],
  ['one as its SPIFFE ID', { byFederatesWith: { trustDomains: ['spiffe://west.example'], match: MATCH_EXACT } }, ['/west']],
  ['downstream', { byDownstream: true }, []],
  ['not downstream', { byDownstream: false }, ['/none', '/west', '/both']],
  ['a hint that is empty', { byHint: '' }, ['/none', '/west', '/both']],
])('%s', (_what, filter, paths) => {
  expect(found(filter)).toEqual(paths);
});

test.each<[string, Partial<EntryFilter>, string]>([
  ...[Selectors.MATCH_EXACT, Selectors.MATCH_SUBSET, Selectors.MATCH_SUPERSET, Selectors.MATCH_ANY].map(
    (match): [string, Partial<EntryFilter>, string] => [
      `no selectors (match ${match})`,
      { bySelectors: { selectors: [], match } },
      'by_selectors',
    ],
  ),
  ...[MATCH_EXACT, MATCH_SUBSET, MATCH_SUPERSET, MATCH_ANY].map((match): [string, Partial<EntryFilter>, string] => [
    `no trust domains (match ${match})`,
    { byFederatesWith: { trustDomains: [], match } },
    'by_federates_with',
  ]),
  ['a selector without a type', { bySelectors: { selectors: [{ type: '', value: 'uid:1' }], match: Selectors.MATCH_ANY } }, 'by_selectors'],
  ['a selector without a value', { bySelectors: { selectors: [{ type: 'unix', value: '' }], match: Selectors.MATCH_ANY } }, 'by_selectors'],
  [
    'an unknown way to match selectors',
    { bySelectors: { selectors: [{ type: 'unix', value: 'uid:1' }], match: Selectors.UNRECOGNIZED } },
    'by_selectors',
  ],
  ['no trust domain', { byFederatesWith: { trustDomains: ['NOT A TD'], match: MATCH_ANY } }, 'by_federates_with'],
  ['a SPIFFE ID with a path', { byFederatesWith: { trustDomains: ['spiffe://west.example/web'], match: MATCH_ANY } }, 'by_federates_with'],
  [
    'an unknown way to match trust domains',
    { byFederatesWith: { trustDomains: ['west.example'], match: UNRECOGNIZED } },
    'by_federates_with',
  ],
])('%s is refused before an entry is looked at', (_what, filter, field) => {
  expect(() => entryFilter(EntryFilter.fromPartial(filter))).toThrow(
    expect.objectContaining({ code: 'REQUEST_INVALID', context: expect.objectContaining({ field }) }),
  );
});
