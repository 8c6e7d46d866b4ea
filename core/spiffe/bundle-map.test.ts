import { beforeAll, expect, test } from '@jest/globals';
import { formatBundleJson } from './bundle-format.ts';
import { parseBundleOfMapJson } from './bundle-map.ts';
import { parseBundleText } from './bundle-text.ts';
import { parseTrustDomain } from './id.ts';
import { TEST_NOW, TestCa } from './testing/ca.ts';
import { verifyX509Svid } from './verify.ts';

const east = parseTrustDomain('east.example');
let ca: TestCa;
let west: TestCa;
let eastJson: string;
let westJson: string;
beforeAll(async () => {
  ca = await TestCa.create('east.example');
  west = await TestCa.create('west.example');
  eastJson = formatBundleJson({ ...ca.bundle, sequence: 7n, refreshHintSeconds: 300 });
  westJson = formatBundleJson(west.bundle);
});

/** A map whose members are given as JSON: EAST and WEST stand for the bundles. */
const map = (members: string): string => `{"trust_domains":{${members.replaceAll('EAST', eastJson).replaceAll('WEST', westJson)}}}`;

test.each([
  ['the trust domain alone', '"east.example":EAST'],
  ['among others, before', '"east.example":EAST,"west.example":WEST'],
  ['among others, after', '"west.example":WEST,"east.example":EAST'],
  ['beside one that holds no keys that can be used', '"west.example":{"keys":[{}]},"east.example":EAST'],
  ['beside one that is no bundle: it is not looked at', '"west.example":[],"east.example":EAST'],
  ['beside one with a refresh hint', '"west.example":{"keys":[],"spiffe_refresh_hint":1},"east.example":EAST'],
])('B6 the bundle of a trust domain is taken from a map: %s', async (_, members) => {
  const bundle = parseBundleText(map(members), east);
  // Without the refresh hint: it is the bundle's, not the map's.
  expect(bundle).toEqual({ trustDomain: east, authorities: [{ der: ca.der }], sequence: 7n });
  const web = await ca.issue('/web');
  expect(verifyX509Svid(web.chain, new Map([[east, bundle]]), TEST_NOW).id).toBe(web.id);
});

test.each<[string, () => string]>([
  ['metadata of the map is ignored', () => `{"spiffe_sequence":1,"more":{"a":[]},"trust_domains":{"east.example":${eastJson}}}`],
  ['a bundle that has a member of that name is a bundle', () => eastJson.replace('{', '{"trust_domains":{},')],
])('B6 %s', (_, text) => {
  expect(parseBundleText(text(), east).authorities).toEqual([{ der: ca.der }]);
});

test.each([
  ['', 'it is empty'],
  ['"west.example":WEST', 'it has west.example'],
  ['"west.example":WEST,"north.example":{"keys":[]}', 'it has west.example, north.example'],
  [Array.from({ length: 12 }, (_, i) => `"d${i}":{}`).join(), 'd9 and 2 more'],
  ['"__proto__":{"east.example":EAST}', 'it has __proto__'],
])('B6 a map without the trust domain is refused, whoever else is in it: %s', (members, says) => {
  const message = expect.stringMatching(`no bundle of the trust domain east.example; .*${says}`);
  expect(() => parseBundleText(map(members), east)).toThrow(
    expect.objectContaining({ code: 'BUNDLE_MISSING', context: { trustDomain: 'east.example' }, message }),
  );
});

test('B6 a bundle that stands under the name of another trust domain is refused, and never verifies its SVIDs', () => {
  expect(() => parseBundleText(map('"east.example":WEST'), east)).toThrow(
    expect.objectContaining({ code: 'BUNDLE_INVALID', context: { rule: 'X9' } }),
  );
});

test.each<[string, string, string]>([
  ['neither keys nor trust_domains', 'B4', '{"trust-domains":{}}'],
  ['trust_domains that is an array', 'B6', '{"trust_domains":[]}'],
  ['trust_domains that is null', 'B6', '{"trust_domains":null}'],
  ['trust_domains that is a number', 'B6', '{"trust_domains":1}'],
  ['the same name twice', 'B6', '{"trust_domains":{"east.example":{"keys":[]},"east.example":{"keys":[]}}}'],
  ['the same name twice, of another trust domain', 'B6', '{"trust_domains":{"a":{"keys":[]},"east.example":{"keys":[]},"a":{}}}'],
  ['the same name, written in two ways', 'B6', '{"trust_domains":{"east.example":{"keys":[]},"e\\u0061st.example":{"keys":[]}}}'],
  ['trust_domains twice', 'B6', '{"trust_domains":{},"trust_domains":{"east.example":{"keys":[]}}}'],
  ['an upper-case name', 'B6', '{"trust_domains":{"East.example":{"keys":[]},"east.example":{"keys":[]}}}'],
  ['a SPIFFE ID as a name', 'B6', '{"trust_domains":{"spiffe://east.example":{"keys":[]}}}'],
  ['an empty name', 'B6', '{"trust_domains":{"":{"keys":[]},"east.example":{"keys":[]}}}'],
  ['the trust domain with null', 'B4', '{"trust_domains":{"east.example":null}}'],
  ['the trust domain with a bundle without keys', 'B4', '{"trust_domains":{"east.example":{}}}'],
  ['the trust domain with a sequence that is none', 'B2', '{"trust_domains":{"east.example":{"keys":[],"spiffe_sequence":-1}}}'],
])('rejected: %s', (_, rule, text) => {
  expect(() => parseBundleText(text, east)).toThrow(expect.objectContaining({ code: 'BUNDLE_INVALID', context: { rule } }));
});

test.each([['{}'], ['{"keys":[]}'], ['{"keys":[],"trust_domains":{}}'], ['[]'], ['null']])('%s is no bundle map', (text) => {
  expect(parseBundleOfMapJson(text, east)).toBeUndefined();
});
