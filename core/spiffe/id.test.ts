import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isSymbolonError } from '#core/errors/error';
import { parseSpiffeId, parseTrustDomain, pathOf, segmentsOf, trustDomainId, trustDomainOf } from './id.ts';

const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const DOMAIN_CHARACTERS = new Set(`${LOWER}0123456789.-_`);
const PATH_CHARACTERS = new Set(`${LOWER}${LOWER.toUpperCase()}0123456789.-_`);
const everyByte = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));

const accepts = (parse: (text: string) => unknown, text: string): boolean => {
  try {
    parse(text);
    return true;
  } catch (error) {
    if (!isSymbolonError(error)) throw error;
    return false;
  }
};

describe('parseSpiffeId', () => {
  test.each([
    ['ID1 a trust domain alone', 'spiffe://east.example'],
    ['ID1 a path', 'spiffe://east.example/a'],
    ['ID2 every character of a trust domain', `spiffe://${[...DOMAIN_CHARACTERS].join('')}/a`],
    ['ID2 a trust domain that looks like an address', 'spiffe://192.0.2.1/a'],
    ['ID2 a trust domain that is no DNS name', 'spiffe://_-..-/a'],
    ['ID3 every character of a path', `spiffe://td/${[...PATH_CHARACTERS].join('')}`],
    ['ID3 segments of dots that are not relative', 'spiffe://td/.../..a/a..'],
    ['ID4 2048 bytes', `spiffe://td/${'a'.repeat(2048 - 12)}`],
    ['ID4 a trust domain of 255 bytes', `spiffe://${'a'.repeat(255)}/a`],
  ])('accepted: %s', (_, text) => {
    expect(parseSpiffeId(text)).toBe(text);
  });

  test.each([
    ['ID1 nothing', ''],
    ['ID1 another scheme', 'https://east.example/a'],
    ['ID1 an upper-case scheme', 'SPIFFE://east.example/a'],
    ['ID1 no scheme', 'east.example/a'],
    ['ID1 one slash', 'spiffe:/east.example/a'],
    ['ID1 an empty trust domain', 'spiffe:///a'],
    ['ID1 nothing after the scheme', 'spiffe://'],
    ['ID1 a query', 'spiffe://east.example/a?b'],
    ['ID1 an empty query', 'spiffe://east.example/a?'],
    ['ID1 a fragment', 'spiffe://east.example/a#b'],
    ['ID2 upper case', 'spiffe://East.example/a'],
    ['ID2 user information', 'spiffe://me@east.example/a'],
    ['ID2 a port', 'spiffe://east.example:80/a'],
    ['ID2 percent encoding', 'spiffe://east%2eexample/a'],
    ['ID2 a letter that is not ASCII', 'spiffe://e\u00e4st.example/a'],
    ['ID2 an address in brackets', 'spiffe://[2001:db8::1]/a'],
    ['ID3 percent encoding', 'spiffe://td/%61'],
    ['ID3 an empty segment', 'spiffe://td/a//b'],
    ['ID3 a segment .', 'spiffe://td/a/./b'],
    ['ID3 a segment ..', 'spiffe://td/../b'],
    ['ID3 a trailing slash', 'spiffe://td/a/'],
    ['ID3 a slash alone', 'spiffe://td/'],
    ['ID3 a line break at the end', 'spiffe://td/a\n'],
    ['ID3 a zero byte', 'spiffe://td/a\0'],
    ['ID4 2049 bytes', `spiffe://td/${'a'.repeat(2049 - 12)}`],
    ['ID4 a trust domain of 256 bytes', `spiffe://${'a'.repeat(256)}/a`],
  ])('rejected: %s', (_, text) => {
    expect(() => parseSpiffeId(text)).toThrow(expect.objectContaining({ code: 'SPIFFE_ID_INVALID', context: { value: text } }));
  });

  test('ID2 of all 256 characters a trust domain has exactly those allowed', () => {
    // A slash ends it.
    for (const c of everyByte) expect([c, accepts(parseSpiffeId, `spiffe://a${c}b`)]).toEqual([c, DOMAIN_CHARACTERS.has(c) || c === '/']);
  });

  test('ID3 of all 256 characters a path has exactly those allowed', () => {
    // A slash makes two segments of it.
    for (const c of everyByte) expect([c, accepts(parseSpiffeId, `spiffe://td/a${c}b`)]).toEqual([c, PATH_CHARACTERS.has(c) || c === '/']);
  });
});

describe('parseTrustDomain', () => {
  test.each(['east.example', 'a', '_', 'a'.repeat(255)])('accepts %s', (text) => {
    expect(parseTrustDomain(text)).toBe(text);
  });

  test.each(['', 'East.example', 'spiffe://east.example', 'east.example/', 'a b', 'a:1', 'a\n', 'a'.repeat(256)])('refuses %j', (text) => {
    expect(() => parseTrustDomain(text)).toThrow(expect.objectContaining({ code: 'TRUST_DOMAIN_INVALID' }));
  });

  test('ID2 of all 256 characters exactly those allowed', () => {
    for (const c of everyByte) expect([c, accepts(parseTrustDomain, `a${c}b`)]).toEqual([c, DOMAIN_CHARACTERS.has(c)]);
  });
});

describe('the parts of an ID', () => {
  test.each([
    ['spiffe://td', 'td', '', []],
    ['spiffe://td/a', 'td', '/a', ['a']],
    ['spiffe://east.example/a/b.c/d', 'east.example', '/a/b.c/d', ['a', 'b.c', 'd']],
  ])('of %s', (text, domain, path, segments) => {
    const id = parseSpiffeId(text);
    expect([trustDomainOf(id), pathOf(id), segmentsOf(id)]).toEqual([domain, path, segments]);
  });

  test('put together again, they are the ID', () => {
    const segment = fc.stringMatching(/^[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,8}$/);
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9._-]{1,20}$/), fc.array(segment, { maxLength: 4 }), (domain, segments) => {
        const td = parseTrustDomain(domain);
        const id = segments.length === 0 ? trustDomainId(td) : parseSpiffeId(`spiffe://${td}/${segments.join('/')}`);
        expect(parseSpiffeId(id)).toBe(id);
        expect(trustDomainOf(id)).toBe(domain);
        expect(segmentsOf(id)).toEqual(segments);
      }),
    );
  });
});
