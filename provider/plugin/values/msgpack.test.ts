import { describe, expect, test } from '@jest/globals';
import { encode, ExtData } from '@msgpack/msgpack';
import { decodeMsgpack, encodeMsgpack } from './msgpack.ts';
import type { CtyType } from './type.ts';
import { UNKNOWN, Unknown } from './unknown.ts';
import { Decimal, type Value } from './value.ts';

const OBJECT: CtyType = ['object', { id: 'string', tags: ['set', 'string'], limits: ['map', 'number'], on: 'bool' }];

const ROUND_TRIPS: readonly { readonly what: string; readonly type: CtyType; readonly value: Value }[] = [
  { what: 'text', type: 'string', value: 'spiffe://a.example/ü' },
  { what: 'null', type: 'string', value: null },
  { what: 'truth', type: 'bool', value: false },
  { what: 'safe integer', type: 'number', value: -42 },
  { what: 'largest safe integer', type: 'number', value: Number.MAX_SAFE_INTEGER },
  { what: '64-bit integer', type: 'number', value: 9_007_199_254_740_993n },
  { what: 'integer beyond 64 bits', type: 'number', value: 123_456_789_012_345_678_901_234_567_890n },
  { what: 'decimal fraction', type: 'number', value: new Decimal('0.1') },
  { what: 'list', type: ['list', 'string'], value: ['b', 'a', 'b'] },
  { what: 'unknown', type: ['set', 'string'], value: UNKNOWN },
  { what: 'unknown inside', type: ['set', 'string'], value: ['a', UNKNOWN] },
  { what: 'object', type: OBJECT, value: { id: 'x', tags: ['a'], limits: { cpu: 4 }, on: null } },
];

describe('values of the wire', () => {
  test.each(ROUND_TRIPS)('keeps $what', ({ type, value }) => {
    expect(decodeMsgpack(encodeMsgpack(value, type), type)).toEqual(value);
  });

  test('a fraction goes out as decimal text, not as binary', () => {
    expect([...encodeMsgpack(new Decimal('0.1'), 'number')]).toEqual([...encode('0.1')]);
  });

  test('an object has every attribute of its type and no other', () => {
    const bytes = encodeMsgpack({ id: 'x', stray: 'y' }, OBJECT);
    expect(decodeMsgpack(bytes, ['map', 'string'])).toEqual({ id: 'x', tags: null, limits: null, on: null });
  });

  test('a refined unknown tells its beginning and that it is not null', () => {
    // Refinements are a map with integer keys: 1 = may it be null, 2 = prefix.
    const refinements = Uint8Array.from([0x82, 1, 0xc2, 2, ...encode('spiffe://a.example/')]);
    const value = decodeMsgpack(encode(new ExtData(12, refinements)), 'string');
    expect(value).toEqual(new Unknown({ prefix: 'spiffe://a.example/', notNull: true }));
  });

  test('any other extension is an unknown value', () => {
    expect(decodeMsgpack(encode(new ExtData(0, Uint8Array.of(0))), 'number')).toEqual(UNKNOWN);
  });

  test('text where a number belongs is refused', () => {
    expect(() => decodeMsgpack(encode(true), 'number')).toThrow('boolean where a number belongs');
  });
});
