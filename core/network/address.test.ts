import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addressFromBytes, addressToBytes, parseIpAddress, sameAddress } from './address.ts';

describe('parseIpAddress', () => {
  test.each([
    ['0.0.0.0', 4, '0.0.0.0'],
    ['255.255.255.255', 4, '255.255.255.255'],
    ['::', 6, '::'],
    ['::1', 6, '::1'],
    ['1::', 6, '1::'],
    ['2001:DB8::A', 6, '2001:db8::a'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', 6, '2001:db8::1'],
    ['RFC 5952 4.2.2: a single zero group', 6, '2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['RFC 5952 4.2.3: the longest run', 6, '2001:0:0:1::1', '2001:0:0:1:0:0:0:1'],
    ['RFC 5952 4.2.3: the first of equal runs', 6, '2001:db8::1:0:0:1', '2001:db8:0:0:1:0:0:1'],
    ['a mapped address is the IPv4 address', 4, '192.0.2.1', '::ffff:192.0.2.1'],
    ['a mapped address in groups', 4, '192.0.2.1', '::ffff:c000:201'],
    ['a dotted end', 6, '64:ff9b::c000:201', '64:ff9b::192.0.2.1'],
    ['1:2:3:4:5:6:7::', 6, '1:2:3:4:5:6:7:0'],
  ])('accepts %s', (input, family, canonical, given = input) => {
    expect(parseIpAddress(given)).toEqual({ family, text: canonical });
  });

  test.each([
    '',
    ' 10.0.0.1',
    '10.0.0.1 ',
    '10.0.0',
    '10.0.0.0.1',
    '10.0.0.256',
    '10.0.0.01',
    '10.0.0.-1',
    '0x10.0.0.1',
    '10.0.0.1/32',
    '1e1.0.0.1',
    '10..0.1',
    ':',
    ':::',
    '1:::2',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::12345',
    '::g',
    'fe80::1%eth0',
    '[::1]',
    '::1:',
    ':1::',
    '::192.0.2',
    '::192.0.2.1:1',
    '1:2:3:4:5:6:7:192.0.2.1',
    '::ffff:192.0.2.01',
    'localhost',
    '١.0.0.1',
  ])('refuses %j', (text) => {
    expect(() => parseIpAddress(text)).toThrow(expect.objectContaining({ code: 'ADDRESS_INVALID' }));
  });
});

describe('bytes of addresses', () => {
  test('of 16 bytes there and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const address = addressFromBytes(bytes);
        expect(Buffer.from(addressToBytes(address)).equals(bytes)).toBe(true);
        expect(sameAddress(parseIpAddress(address.text), address)).toBe(true);
      }),
    );
  });

  test('an address of zeros in places is shortened the same way however it was written', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 0, 0, 1, 0xffff), { minLength: 8, maxLength: 8 }), (groups) => {
        const long = groups.map((g) => g.toString(16).padStart(4, '0')).join(':');
        const { text } = parseIpAddress(long);
        expect(parseIpAddress(text).text).toBe(text);
        expect(Buffer.from(addressToBytes(parseIpAddress(text))).toString('hex')).toBe(long.replaceAll(':', ''));
      }),
    );
  });

  test.each([
    [Uint8Array.of(192, 0, 2, 1), '192.0.2.1'],
    [Uint8Array.from([...Array<number>(10).fill(0), 255, 255, 192, 0, 2, 1]), '192.0.2.1'],
  ])('%j is %s', (bytes, text) => {
    expect(addressFromBytes(bytes)).toEqual({ family: 4, text });
  });

  test.each([0, 1, 5, 15, 17])('%i bytes are none', (length) => {
    expect(() => addressFromBytes(new Uint8Array(length))).toThrow(expect.objectContaining({ code: 'ADDRESS_INVALID' }));
  });
});
