import { expect, test } from '@jest/globals';
import { decodeStateJson } from './json.ts';
import { sameValue } from './same.ts';
import { UNKNOWN } from './unknown.ts';
import { Decimal } from './value.ts';

test('state keeps its numbers, drops what the schema has no more, and reads what it has not yet as null', () => {
  const text = '{"sequence":9007199254740993,"ratio":0.1,"gone":{"a":1},"tags":["b","a"],"size":12}';
  const state = decodeStateJson(text, [
    'object',
    { sequence: 'number', ratio: 'number', tags: ['set', 'string'], size: 'number', added: 'bool' },
  ]);
  expect(state).toEqual({ sequence: 9_007_199_254_740_993n, ratio: new Decimal('0.1'), tags: ['b', 'a'], size: 12, added: null });
});

test('sets are the same in any order, lists are not; an unknown value is only like another', () => {
  expect(sameValue(['a', 'b'], ['b', 'a'], ['set', 'string'])).toBe(true);
  expect(sameValue(['a', 'b'], ['b', 'a'], ['list', 'string'])).toBe(false);
  expect(sameValue({ p: ['a', 'b'] }, { p: ['b', 'a'] }, ['object', { p: ['set', 'string'] }])).toBe(true);
  expect(sameValue({ p: ['a'] }, { p: null }, ['object', { p: ['set', 'string'] }])).toBe(false);
  expect(sameValue('a', UNKNOWN, 'string')).toBe(false);
  expect(sameValue(UNKNOWN, UNKNOWN, 'string')).toBe(true);
  expect(sameValue(12n, 12, 'number')).toBe(true);
});
