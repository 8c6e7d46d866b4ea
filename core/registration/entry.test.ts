import { describe, expect, test } from '@jest/globals';
import { parseSpiffeId, parseTrustDomain } from '#core/spiffe/id';
import { checkEntry, type RegistrationEntry } from './entry.ts';
import { parseSelector } from './selector.ts';

const EAST = parseTrustDomain('east.example');
const id = (text: string): ReturnType<typeof parseSpiffeId> => parseSpiffeId(`spiffe://${text}`);

const VALID: Omit<RegistrationEntry, 'id' | 'revision'> = {
  spiffeId: id('east.example/web'),
  parentId: id('east.example/symbolon/node/one'),
  selectors: [parseSelector('unix:uid:1')],
  addresses: [],
  federatesWith: [],
  x509SvidTtlSeconds: 0,
  dnsNames: [],
  hint: '',
};

describe('checkEntry', () => {
  test('takes an entry of the trust domain', () => {
    expect(() => checkEntry(VALID, EAST)).not.toThrow();
  });

  test.each<[string, string, Partial<typeof VALID>]>([
    ['an ID of another trust domain', 'spiffe_id', { spiffeId: id('west.example/web') }],
    ['an ID of a trust domain whose name begins alike', 'spiffe_id', { spiffeId: id('east.example.evil/web') }],
    ['a trust domain’s own ID', 'spiffe_id', { spiffeId: id('east.example') }],
    ['a node’s ID', 'spiffe_id', { spiffeId: id('east.example/symbolon/node/one') }],
    ['an administrator’s ID', 'spiffe_id', { spiffeId: id('east.example/symbolon/admin/x') }],
    ['the reserved path itself', 'spiffe_id', { spiffeId: id('east.example/symbolon') }],
    ['a parent of another trust domain', 'parent_id', { parentId: id('west.example/symbolon/node/one') }],
    ['a parent that is no node', 'parent_id', { parentId: id('east.example/web') }],
    ['the authority as parent', 'parent_id', { parentId: id('east.example/symbolon/authority') }],
    ['no selectors', 'selectors', { selectors: [] }],
    ['a negative lifetime', 'x509_svid_ttl', { x509SvidTtlSeconds: -1 }],
    ['a lifetime that is no whole number', 'x509_svid_ttl', { x509SvidTtlSeconds: 1.5 }],
    ['a lifetime that is no number', 'x509_svid_ttl', { x509SvidTtlSeconds: Number.NaN }],
  ])('refuses %s', (_, field, change) => {
    expect(() => checkEntry({ ...VALID, ...change }, EAST)).toThrow(
      expect.objectContaining({ code: 'ENTRY_INVALID', context: expect.objectContaining({ field }) }),
    );
  });
});
