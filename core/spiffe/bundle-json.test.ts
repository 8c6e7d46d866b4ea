import { beforeAll, describe, expect, test } from '@jest/globals';
import { formatBundleJson } from './bundle-format.ts';
import { MAX_BUNDLE_BYTES, parseBundleJson } from './bundle-json.ts';
import { parseTrustDomain } from './id.ts';
import { TEST_NOW, TestCa, type TestKeyKind } from './testing/ca.ts';
import { verifyX509Svid } from './verify.ts';

const east = parseTrustDomain('east.example');
let ca: TestCa;
let next: TestCa;
let x5c: string;
beforeAll(async () => {
  ca = await TestCa.create('east.example');
  next = await TestCa.create('east.example', { keyKind: 'rsa2048' });
  x5c = Buffer.from(ca.der).toString('base64');
});

const key = (fields: object = {}) => ({ kty: 'EC', use: 'x509-svid', x5c: [x5c], ...fields });
const authorities = (...keys: readonly object[]): number => parseBundleJson(JSON.stringify({ keys }), east).authorities.length;
const invalid = (rule: string) => expect.objectContaining({ code: 'BUNDLE_INVALID', context: { rule } });

describe('parseBundleJson', () => {
  test('B4 one element for each authority, that verify SVIDs', async () => {
    const bundle = parseBundleJson(JSON.stringify({ keys: [key()] }), east);
    expect(bundle).toMatchObject({ trustDomain: 'east.example', sequence: 0n });
    expect(verifyX509Svid((await ca.issue('/web')).chain, new Map([[east, bundle]]), TEST_NOW).id).toBe('spiffe://east.example/web');
  });

  test.each<[string, () => number, number]>([
    ['B4 no element', () => authorities(), 0],
    [
      'B1 undefined parameters of the set',
      () => parseBundleJson(JSON.stringify({ keys: [key()], more: { a: [1] } }), east).authorities.length,
      1,
    ],
    ['B1 undefined parameters of an element', () => authorities(key({ crv: 'P-256', alg: 'ES256', 'x5t#S256': 'x' })), 1],
    ['X9 with a kid, which it should not have: taken', () => authorities(key({ kid: 'a' })), 1],
    ['B5 without kty: ignored', () => authorities(key({ kty: undefined })), 0],
    ['B5 with a kty that is no text: ignored', () => authorities(key({ kty: 3 })), 0],
    ['B5 of an unknown kty: ignored', () => authorities(key({ kty: 'XMSS' }), key({ kty: 'ec' }), key()), 1],
    ['B5 of every kty that is known', () => authorities(key({ kty: 'EC' }), key({ kty: 'RSA' }), key({ kty: 'OKP' })), 3],
    ['B5 without use: ignored', () => authorities(key({ use: undefined })), 0],
    ['B5 with another use: ignored', () => authorities(key({ use: 'jwt-svid', kid: 'a' }), key({ use: 'wit-svid' }), key()), 1],
    ['B5 use is case-sensitive', () => authorities(key({ use: 'X509-SVID' })), 0],
    ['B5 an element that is no object: ignored', () => authorities([1], key()), 1],
    ['X9 without x5c: ignored', () => authorities(key({ x5c: undefined })), 0],
    ['X9 an empty x5c: ignored', () => authorities(key({ x5c: [] })), 0],
    ['X9 an x5c that is no array: ignored', () => authorities(key({ x5c })), 0],
    ['X9 values after the first: ignored', () => authorities(key({ x5c: [x5c, 'rubbish'] })), 1],
  ])('%s', (_, count, expected) => {
    expect(count()).toBe(expected);
  });

  test('X9 an x5c that is no CA of the trust domain is an error', async () => {
    const leaf = (await ca.issue('/web')).chain[0] ?? new Uint8Array();
    const west = await TestCa.create('west.example');
    for (const bad of ['!', 'AAAA', 'AAA', Buffer.from(leaf).toString('base64'), Buffer.from(west.der).toString('base64')]) {
      expect(() => authorities(key({ x5c: [bad] }))).toThrow(invalid('X9'));
    }
    expect(() => authorities(key({ x5c: [7] }))).toThrow(invalid('X9'));
  });

  test.each<[string, TestKeyKind]>([
    ['a curve', 'p521'],
    ['an RSA key', 'rsa1024'],
  ])('X9 a CA with %s that is not allowed is ignored, and its neighbours are not', async (_, keyKind) => {
    const odd = await TestCa.create('east.example', { keyKind });
    const bundle = parseBundleJson(JSON.stringify({ keys: [key({ x5c: [Buffer.from(odd.der).toString('base64')] }), key()] }), east);
    expect(bundle.authorities).toEqual([{ der: new Uint8Array(ca.der) }]);
    // What is wrong in another way is wrong with such a key, too.
    const west = await TestCa.create('west.example', { keyKind });
    expect(() => authorities(key({ x5c: [Buffer.from(west.der).toString('base64')] }))).toThrow(invalid('X9'));
  });

  test.each([
    ['B2 the largest 64-bit sequence stays exact', '{"keys":[],"spiffe_sequence":18446744073709551615}', 18446744073709551615n],
    ['B2 a sequence beyond 2^53 stays exact', '{"keys":[],"spiffe_sequence":9007199254740993}', 9007199254740993n],
    ['B2 no sequence', '{"keys":[]}', 0n],
  ])('%s', (_, text, sequence) => {
    expect(parseBundleJson(text, east).sequence).toBe(sequence);
  });

  test('B3 the refresh hint is in seconds', () => {
    for (const hint of [0, 300, 2147483647]) {
      expect(parseBundleJson(`{"keys":[],"spiffe_refresh_hint":${hint}}`, east).refreshHintSeconds).toBe(hint);
    }
    expect(parseBundleJson('{"keys":[]}', east)).not.toHaveProperty('refreshHintSeconds');
  });

  test.each([
    ['B2', '{"keys":[],"spiffe_sequence":18446744073709551616}'],
    ['B2', '{"keys":[],"spiffe_sequence":-1}'],
    ['B2', '{"keys":[],"spiffe_sequence":1.0}'],
    ['B2', '{"keys":[],"spiffe_sequence":1e3}'],
    ['B2', '{"keys":[],"spiffe_sequence":"1"}'],
    ['B2', '{"keys":[],"spiffe_sequence":null}'],
    ['B3', '{"keys":[],"spiffe_refresh_hint":2147483648}'],
    ['B3', '{"keys":[],"spiffe_refresh_hint":0.5}'],
    ['B3', '{"keys":[],"spiffe_refresh_hint":-1}'],
    ['B3', '{"keys":[],"spiffe_refresh_hint":"300"}'],
    ['B3', '{"keys":[],"spiffe_refresh_hint":null}'],
    ['B4', '{}'],
    ['B4', '{"keys":{}}'],
    ['B4', '[]'],
    ['B4', 'null'],
    ['B4', '7'],
    ['B6', '{"keys":[],"keys":[]}'],
    ['B6', '{"keys":[],"a":{"b":1,"b":1}}'],
    ['B6', '{"keys":[],"k\\u0065ys":[]}'],
    ['json', ''],
    ['json', '{"keys":[]'],
    ['json', '{"keys":[],}'],
    ['json', '['.repeat(100_000)],
  ])('rejected: %s %s', (rule, text) => {
    expect(() => parseBundleJson(text, east)).toThrow(invalid(rule));
  });

  test('B6 the same key in two objects, as a value, or with a quote in it is no duplicate', () => {
    const text = '{"keys":[],"a":{"keys":"keys"},"b":["keys",{"keys":1},{"keys":1}],"\\"keys":1,"\\\\":{"x":":"}}';
    expect(parseBundleJson(text, east).authorities).toEqual([]);
  });

  test('what is too large is refused before it is read', () => {
    // Neither is JSON: the longer one is not even looked at.
    expect(() => parseBundleJson('x'.repeat(MAX_BUNDLE_BYTES), east)).toThrow(invalid('json'));
    expect(() => parseBundleJson('x'.repeat(MAX_BUNDLE_BYTES + 1), east)).toThrow(invalid('size'));
  });
});

describe('formatBundleJson', () => {
  test('gives back what was parsed', () => {
    const bundle = {
      trustDomain: east,
      authorities: [{ der: ca.der }, { der: next.der }],
      sequence: 18446744073709551615n,
      refreshHintSeconds: 300,
    };
    expect(parseBundleJson(formatBundleJson(bundle), east)).toEqual(bundle);
    const { refreshHintSeconds: _, ...without } = bundle;
    expect(parseBundleJson(formatBundleJson(without), east)).toEqual(without);
  });

  test('X9 no kid, and the key’s own parameters beside the certificate', () => {
    const { keys } = JSON.parse(formatBundleJson(ca.bundle)) as { keys: readonly object[] };
    expect(keys).toEqual([{ use: 'x509-svid', kty: 'EC', crv: 'P-256', x: expect.any(String), y: expect.any(String), x5c: [x5c] }]);
  });
});
