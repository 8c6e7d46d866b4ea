import { expect, test } from '@jest/globals';
import { parseTrustDomain } from '#core/spiffe/id';
import { Entry, EntryMask } from '#proto/gen/spire/types';
import { identityRules } from '../registry/identity.ts';
import { applyEntry, entryMessage } from './spire-entry-messages.ts';

const BODY = {
  spiffeId: 'spiffe://east.example/web',
  parentId: 'spiffe://east.example/symbolon/node/east-1',
  selectors: ['unix:uid:1'],
  addresses: ['10.1.0.2'],
  federatesWith: ['west.example'],
  x509SvidTtlSeconds: 60,
  dnsNames: ['web.east.example'],
  hint: 'main',
};
const DECLARED = { id: 'an id', body: BODY, ownership: { owner: '', generation: 4n }, createdAtSeconds: 1_700_000_000 };
const FULL: Partial<Entry> = {
  spiffeId: { trustDomain: 'east.example', path: '/web' },
  parentId: { trustDomain: 'east.example', path: '/symbolon/node/east-1' },
  selectors: [{ type: 'unix', value: 'uid:1' }],
  federatesWith: ['west.example'],
  x509SvidTtl: 60,
  dnsNames: ['web.east.example'],
  hint: 'main',
  revisionNumber: 3n,
  createdAt: 1_700_000_000n,
};
const shown = (fields: Partial<Entry>): Entry => ({
  ...Entry.fromPartial({ id: 'an id', ...fields }),
  additionalAttributes: undefined,
});

test('without a mask an entry is shown whole', () => {
  expect(entryMessage(DECLARED)).toEqual(shown(FULL));
});

test.each(Object.entries(FULL))('a mask of %s shows that and the id', (field, value) => {
  expect(entryMessage(DECLARED, EntryMask.fromPartial({ [field]: true }))).toEqual(shown({ [field]: value }));
});

const CHANGE = Entry.fromPartial({
  spiffeId: { trustDomain: 'east.example', path: '/shop' },
  parentId: { trustDomain: 'east.example', path: '/symbolon/node/east-2' },
  selectors: [{ type: 'unix', value: 'uid:2' }],
  federatesWith: ['north.example'],
  x509SvidTtl: 90,
  dnsNames: ['shop.east.example'],
  hint: 'other',
});
const CHANGED = {
  spiffeId: 'spiffe://east.example/shop',
  parentId: 'spiffe://east.example/symbolon/node/east-2',
  selectors: ['unix:uid:2'],
  federatesWith: ['north.example'],
  x509SvidTtlSeconds: 90,
  dnsNames: ['shop.east.example'],
  hint: 'other',
};

test('without a mask an update takes every field that SPIRE has', () => {
  expect(applyEntry(BODY, CHANGE, undefined)).toEqual({ ...CHANGED, addresses: ['10.1.0.2'] });
});

test.each(Object.entries(CHANGED))('a mask of %s takes that alone', (field, value) => {
  const mask = EntryMask.fromPartial({ [field === 'x509SvidTtlSeconds' ? 'x509SvidTtl' : field]: true });
  expect(applyEntry(BODY, CHANGE, mask)).toEqual({ ...BODY, [field]: value });
});

const UNSUPPORTED: readonly [keyof EntryMask, Partial<Entry>][] = [
  ['admin', { admin: true }],
  ['downstream', { downstream: true }],
  ['storeSvid', { storeSvid: true }],
  ['expiresAt', { expiresAt: 1n }],
  ['jwtSvidTtl', { jwtSvidTtl: 60 }],
  ['additionalAttributes', { additionalAttributes: { disableX509SvidPrefetch: true, jwtSvidIncludeJti: false } }],
  ['additionalAttributes', { additionalAttributes: { disableX509SvidPrefetch: false, jwtSvidIncludeJti: true } }],
];

test.each(UNSUPPORTED)('%s, which is not supported, is refused if the mask takes it, or none is given', (field, more) => {
  const entry = Entry.fromPartial({ ...CHANGE, ...more });
  for (const mask of [undefined, EntryMask.fromPartial({ [field]: true })]) {
    expect(() => applyEntry(BODY, entry, mask)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  }
});

test.each(UNSUPPORTED)('%s is not looked at if the mask leaves it out', (_field, more) => {
  const entry = Entry.fromPartial({ ...CHANGE, ...more });
  expect(applyEntry(BODY, entry, EntryMask.fromPartial({ hint: true }))).toEqual({ ...BODY, hint: 'other' });
});

test('what is shown is what was declared', () => {
  const rules = identityRules(parseTrustDomain('east.example'));
  const body = rules.canonical({ ...BODY, federatesWith: [] });
  expect(applyEntry({ ...body, hint: 'lost' }, entryMessage({ ...DECLARED, body }), undefined)).toEqual(body);
});
