import { describe, expect, test } from '@jest/globals';
import { formatBundleJson } from './bundle-format.ts';
import { parseBundleJson } from './bundle-json.ts';
import { isBundleJson, parseBundleText } from './bundle-text.ts';
import { certificatesToPem } from './pem.ts';
import { TEST_NOW, TestCa } from './testing/ca.ts';
import { verifyX509Svid } from './verify.ts';

test('a bundle is read from SPIFFE JSON and from PEM alike', async () => {
  const ca = await TestCa.create();
  const { chain, id } = await ca.issueNode('east-1');
  for (const text of [formatBundleJson(ca.bundle), `\n  ${formatBundleJson(ca.bundle)}`, certificatesToPem([ca.der])]) {
    const bundles = new Map([[ca.trustDomain, parseBundleText(text, ca.trustDomain)]]);
    expect(verifyX509Svid(chain, bundles, TEST_NOW).id).toBe(id);
  }
});

test.each([
  ['{"keys":[],"keys":[]}', 'BUNDLE_INVALID', 'has the key "keys" twice'],
  ['{"keys":[', 'BUNDLE_INVALID', 'is not JSON'],
  ['[]', 'CERTIFICATE_INVALID', 'holds no PEM certificate'],
  ['', 'CERTIFICATE_INVALID', 'holds no PEM certificate'],
])('%j is refused: %s, %s', async (text, code, says) => {
  const { trustDomain } = await TestCa.create();
  expect(() => parseBundleText(text, trustDomain)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(says) }));
});

describe('a text without an authority that can be used says what there is instead', () => {
  const x5c = (der: Uint8Array): string[] => [Buffer.from(der).toString('base64')];
  const json = (...keys: readonly object[]): string => JSON.stringify({ keys });
  const jwt = { kty: 'EC', use: 'jwt-svid', kid: 'a' };

  test.each<[what: string, text: (certificates: Record<'leaf' | 'odd' | 'west', Uint8Array>) => string, ...says: string[]]>([
    ['no keys', () => json(), 'no X.509 authority of east.example', 'its "keys" are empty'],
    [
      'keys of another use',
      () => json(jwt, { kty: 'EC', use: 7 }),
      'keys[0] has the use "jwt-svid"; keys[1] has no use;',
      'expected a CA certificate in PEM, or a key with the use "x509-svid"',
    ],
    ['many of them', () => json(...Array.from({ length: 7 }, () => jwt)), 'keys[4] has the use "jwt-svid"; and 2 more;'],
    ['a key without use', () => json({ kty: 'EC' }), 'keys[0] has no use'],
    ['a key without kty', () => json({ use: 'x509-svid' }), 'keys[0] has no kty'],
    ['a key without certificate', () => json({ kty: 'EC', use: 'x509-svid' }), 'keys[0] has no certificate in x5c'],
    ['an element that is none', () => '{"keys":[1]}', 'keys[0] is no object'],
    [
      'a kind of key that is not allowed',
      ({ odd }) => json({ kty: 'EC', use: 'x509-svid', x5c: x5c(odd) }),
      'keys[0] has a key that is not allowed',
    ],
    ['in PEM, a leaf', ({ leaf }) => certificatesToPem([leaf]), 'PEM block 1 of 1: ', 'is not marked as a CA'],
    [
      "in PEM, another trust domain's, and a kind of key that is not allowed",
      ({ west, odd }) => certificatesToPem([west, odd]),
      'PEM block 1 of 2: ',
      'west.example',
      'PEM block 2 of 2: ',
      'public key',
    ],
  ])('%s', async (_, text, ...says) => {
    const ca = await TestCa.create('east.example');
    const leaf = (await ca.issue('/web')).chain[0] ?? new Uint8Array();
    const odd = (await TestCa.create('east.example', { keyKind: 'p521' })).der;
    const west = (await TestCa.create('west.example')).der;
    const refused = () => parseBundleText(text({ leaf, odd, west }), ca.trustDomain);
    expect(refused).toThrow(expect.objectContaining({ code: 'BUNDLE_INVALID', context: { rule: 'authorities' } }));
    for (const what of says) expect(refused).toThrow(what);
    // What can be used is used, whatever stands beside it: only JSON and PEM cannot be mixed.
    if (!isBundleJson(text({ leaf, odd, west }))) {
      expect(
        parseBundleText(`${text({ leaf, odd, west })}${certificatesToPem([ca.der])}`, ca.trustDomain).authorities.length,
      ).toBeGreaterThan(1);
    }
  });

  test('an element that is ignored does not disturb one that can be used', async () => {
    const ca = await TestCa.create('east.example');
    const text = json(jwt, { kty: 'EC', use: 'x509-svid', x5c: x5c(ca.der) });
    expect(parseBundleText(text, ca.trustDomain).authorities).toHaveLength(1);
  });

  test('what is published empty takes all trust back: only a person is told', async () => {
    const { trustDomain } = await TestCa.create('east.example');
    expect(parseBundleJson(json(), trustDomain).authorities).toEqual([]);
  });
});

test('a damaged x5c is named by its place', async () => {
  const { trustDomain } = await TestCa.create();
  const keys = [{}, { kty: 'EC', use: 'x509-svid', x5c: ['AAAA'] }];
  expect(() => parseBundleText(JSON.stringify({ keys }), trustDomain)).toThrow(/not a CA certificate for the trust domain, in keys\[1\]/);
});
