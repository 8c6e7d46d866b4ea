import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isSymbolonError } from '#core/errors/error';
import { DerReader, readOnly, TAG } from './der.ts';
import { readBoolean, readDefaultFalse, readNamedBits, readOid, readSmallInteger, readTime, readUtf8 } from './der-values.ts';
import { der } from './testing/der-writer.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
const read = (hex: string) => {
  const input = bytes(hex);
  return readOnly(input, 0, input[0] ?? 0);
};
const derInvalid = expect.objectContaining({ code: 'DER_INVALID' });

describe('DerReader', () => {
  test.each([
    ['an empty element', '0500', ''],
    ['a short length', '04020102', '0102'],
    ['the longest short length', `047f${'00'.repeat(127)}`, '00'.repeat(127)],
    ['a length of one octet', `048180${'00'.repeat(128)}`, '00'.repeat(128)],
    ['a length of two octets', `04820100${'00'.repeat(256)}`, '00'.repeat(256)],
  ])('accepts %s', (_, hex, body) => {
    expect(read(hex).body.toString('hex')).toBe(body);
  });

  test.each([
    ['nothing', ''],
    ['a tag alone', '04'],
    ['less than its length', '040201'],
    ['a length without its octets', '0482'],
    ['an indefinite length', '30800000'],
    ['a length octet too many', `04817f${'00'.repeat(127)}`],
    ['a leading zero in its length', `048200ff${'00'.repeat(255)}`],
    ['a length of four octets', '048400000001ff'],
    ['a reserved length', '04ff'],
    ['a tag of several bytes', '1f8101'],
    ['bytes after the element', '050000'],
  ])('refuses %s', (_, hex) => {
    expect(() => read(hex)).toThrow(derInvalid);
  });

  test('says where the fault is, in the outermost input', () => {
    const outer = new DerReader(bytes('3004040101ff'));
    const inner = outer.enter(TAG.sequence);
    inner.next();
    expect(() => inner.next()).toThrow(expect.objectContaining({ context: { offset: 5 } }));
  });

  test('reads what a writer wrote', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 5 }), (contents) => {
        const reader = new DerReader(Buffer.concat(contents.map((body) => der(TAG.octetString, body))));
        for (const body of contents) expect(reader.expect(TAG.octetString).body.equals(body)).toBe(true);
        reader.end();
      }),
    );
  });

  test('refuses rubbish with DER_INVALID and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (input) => {
        const reader = new DerReader(input);
        try {
          while (reader.more) reader.next();
        } catch (error) {
          expect(isSymbolonError(error, 'DER_INVALID')).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('values', () => {
  test.each([
    ['booleans', () => [readBoolean(read('010100')), readBoolean(read('0101ff'))], [false, true]],
    ['a boolean that is there', () => readDefaultFalse(read('0101ff')), true],
    ['a boolean that is left out', () => readDefaultFalse(undefined), false],
    [
      'integers',
      () => ['020100', '02017f', '02020080', '02047fffffff'].map((hex) => readSmallInteger(read(hex))),
      [0, 127, 128, 2147483647],
    ],
    [
      'object identifiers',
      () => ['0603551d0f', '06092b060104018489 6a01'.replace(' ', '')].map((hex) => readOid(read(hex))),
      ['2.5.29.15', '1.3.6.1.4.1.66794.1'],
    ],
    ['named bits', () => ['030100', '03020780', '03020106', '0303070080'].map((hex) => readNamedBits(read(hex))), [0, 1, 96, 256]],
    ['UTF-8', () => readUtf8(read('0c03e282ac')), '€'],
    [
      'a UTCTime of this century',
      () => readTime(read(`170d${Buffer.from('490102030405Z').toString('hex')}`)),
      Date.UTC(2049, 0, 2, 3, 4, 5),
    ],
    [
      'a UTCTime of the last century',
      () => readTime(read(`170d${Buffer.from('500102030405Z').toString('hex')}`)),
      Date.UTC(1950, 0, 2, 3, 4, 5),
    ],
    [
      'a GeneralizedTime',
      () => readTime(read(`180f${Buffer.from('20500229030405Z'.replace('0229', '0228')).toString('hex')}`)),
      Date.UTC(2050, 1, 28, 3, 4, 5),
    ],
    [
      'no well-defined end (RFC 5280 section 4.1.2.5)',
      () => readTime(read(`180f${Buffer.from('99991231235959Z').toString('hex')}`)),
      Date.UTC(9999, 11, 31, 23, 59, 59),
    ],
  ])('reads %s', (_, run, value) => {
    expect(run()).toEqual(value);
  });

  test('an object identifier that is too long is refused before it is read', () => {
    const endless = der(TAG.oid, Buffer.alloc(16_000, 0xff));
    let read = 0;
    const body = new Proxy(endless.subarray(4), {
      get: (bytes, key) => {
        if (key !== 'length') read++;
        return Reflect.get(bytes, key) as unknown;
      },
    });
    expect(() => readOid({ ...readOnly(endless, 0, TAG.oid), body })).toThrow(derInvalid);
    expect(read).toBe(0);
  });

  const text = (tag: string, value: string): string =>
    `${tag}${value.length.toString(16).padStart(2, '0')}${Buffer.from(value).toString('hex')}`;
  test.each<[string, (element: ReturnType<typeof read>) => unknown, string]>([
    ['a boolean of 1', readBoolean, '010101'],
    ['an empty boolean', readBoolean, '0100'],
    ['a default that is written', readDefaultFalse, '010100'],
    ['an empty integer', readSmallInteger, '0200'],
    ['a negative integer', readSmallInteger, '0201ff'],
    ['an integer with a zero too many', readSmallInteger, '0202007f'],
    ['an integer that is too large', readSmallInteger, '02050080000000'],
    ['an empty object identifier', readOid, '0600'],
    ['an object identifier that does not end', readOid, '060355ff80'],
    ['an object identifier with padding', readOid, '0603558001'],
    ['a bit string without contents', readNamedBits, '0300'],
    ['unused bits of nothing', readNamedBits, '030101'],
    ['8 unused bits', readNamedBits, '03020880'],
    ['unused bits that are set', readNamedBits, '03020781'],
    ['trailing zero bits', readNamedBits, '03020080'],
    ['more bits than any that has a name', readNamedBits, '03050000000001'],
    ['broken UTF-8', readUtf8, '0c02c328'],
    ['a time without seconds', readTime, text('17', '4901020304Z')],
    ['a time with an offset', readTime, text('17', '490102030405+0000')],
    ['fractions of a second', readTime, text('18', '20490102030405.5Z')],
    ['month 13', readTime, text('17', '491302030405Z')],
    ['February 30', readTime, text('17', '480230030405Z')],
    ['hour 24', readTime, text('17', '490102240405Z')],
    ['second 60', readTime, text('17', '490102030460Z')],
    ['a time of another kind', readTime, text('13', '490102030405Z')],
  ])('refuses %s', (_, readValue, hex) => {
    expect(() => readValue(read(hex))).toThrow(derInvalid);
  });
});
