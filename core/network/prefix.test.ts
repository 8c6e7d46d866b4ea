import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addressFromBytes, addressToBytes, type IpAddress, parseIpAddress } from './address.ts';
import { type IpPrefix, parseIpPrefix, prefixContains, prefixesOverlap, PrefixTable } from './prefix.ts';

const prefix = parseIpPrefix;
const address = parseIpAddress;

describe('parseIpPrefix', () => {
  test.each([
    ['10.1.0.0/16', '10.1.0.0/16', 16],
    ['0.0.0.0/0', '0.0.0.0/0', 0],
    ['10.1.2.3', '10.1.2.3/32', 32],
    ['2001:DB8::/32', '2001:db8::/32', 32],
    ['::/0', '::/0', 0],
    ['2001:db8::1', '2001:db8::1/128', 128],
  ])('accepts %s', (text, canonical, length) => {
    expect(prefix(text)).toMatchObject({ text: canonical, length });
  });

  test.each([
    '',
    '/',
    '/8',
    '10.1.0.0/',
    '10.1.0.0/33',
    '10.1.0.0/-1',
    '10.1.0.0/016',
    '10.1.0.0/16/16',
    '10.1.0.0/a',
    '::/129',
    'x/8',
    '::ffff:10.1.0.0/16',
    '::ffff:10.1.0.0/112',
  ])('refuses %j', (text) => {
    expect(() => prefix(text)).toThrow(expect.objectContaining({ code: 'PREFIX_INVALID', context: { value: text } }));
  });

  test('bits after the length are refused with the prefix that was meant', () => {
    expect(() => prefix('10.1.2.3/16')).toThrow('did you mean 10.1.0.0/16?');
    expect(() => prefix('2001:db8::1/64')).toThrow('did you mean 2001:db8::/64?');
  });
});

describe('prefixContains', () => {
  test.each([
    ['10.1.0.0/16', '10.1.255.255', true],
    ['10.1.0.0/16', '10.2.0.0', false],
    ['10.1.0.0/17', '10.1.128.0', false],
    ['10.1.2.3/32', '10.1.2.3', true],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['::/0', '10.0.0.1', false],
    ['0.0.0.0/0', '::1', false],
    ['2001:db8::/33', '2001:db8:7fff::', true],
    ['2001:db8::/33', '2001:db8:8000::', false],
  ])('%s contains %s: %s', (p, a, expected) => {
    expect(prefixContains(prefix(p), address(a))).toBe(expected);
  });
});

describe('prefixesOverlap', () => {
  test.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.1.0.0/16', '10.1.0.0/16', true],
    ['10.1.0.0/16', '10.2.0.0/16', false],
    ['0.0.0.0/0', '::/0', false],
    ['::/0', '2001:db8::/32', true],
  ])('%s and %s: %s', (a, b, expected) => {
    expect(prefixesOverlap(prefix(a), prefix(b))).toBe(expected);
    expect(prefixesOverlap(prefix(b), prefix(a))).toBe(expected);
  });
});

describe('PrefixTable', () => {
  test('the longest prefix answers; families do not mix', () => {
    const table = new PrefixTable<string>();
    for (const text of ['10.0.0.0/8', '10.1.0.0/16', '10.1.2.3/32', '::/0', '2001:db8::/32']) table.set(prefix(text), text);
    const match = (text: string) => table.longestMatch(address(text));
    expect(match('10.9.9.9')).toBe('10.0.0.0/8');
    expect(match('10.1.9.9')).toBe('10.1.0.0/16');
    expect(match('10.1.2.3')).toBe('10.1.2.3/32');
    expect(match('11.0.0.1')).toBeUndefined();
    expect(match('2001:db8::1')).toBe('2001:db8::/32');
    expect(match('2002::1')).toBe('::/0');
  });

  test('setting a prefix again replaces its value', () => {
    const table = new PrefixTable<number>();
    table.set(prefix('10.0.0.0/8'), 1);
    table.set(prefix('10.0.0.0/8'), 2);
    expect(table.longestMatch(address('10.0.0.1'))).toBe(2);
  });

  /** Few bits differ, so that prefixes meet. */
  const anyAddress: fc.Arbitrary<IpAddress> = fc.oneof(
    fc.integer({ min: 0, max: 255 }).map((b) => addressFromBytes(Uint8Array.of(10, b & 3, 0, b))),
    fc.integer({ min: 0, max: 255 }).map((b) => addressFromBytes(Uint8Array.from([0x20, b & 3, ...Array<number>(13).fill(0), b]))),
    fc.constant(addressFromBytes(new Uint8Array(16))),
  );
  const anyPrefix: fc.Arbitrary<IpPrefix> = fc.tuple(anyAddress, fc.nat(128)).map(([a, n]) => {
    const max = a.family === 4 ? 32 : 128;
    const bits = (n % (max + 1)) + 128 - max;
    const bytes = addressToBytes(a).map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))));
    return prefix(`${addressFromBytes(bytes).text}/${bits - 128 + max}`);
  });

  test('answers as a search through all prefixes does', () => {
    fc.assert(
      fc.property(fc.array(anyPrefix, { maxLength: 12 }), anyAddress, (prefixes, wanted) => {
        const table = new PrefixTable<string>();
        for (const p of prefixes) table.set(p, p.text);
        const best = prefixes.filter((p) => prefixContains(p, wanted)).sort((a, b) => b.length - a.length)[0];
        expect(table.longestMatch(wanted)).toBe(best?.text);
      }),
    );
  });
});
