import { expect, test } from '@jest/globals';
import { addMs, earliest, formatInstant, instantFromMs } from './instant.ts';

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('%d is no moment', (ms) => {
  expect(() => instantFromMs(ms)).toThrow(RangeError);
});

test('moments are moved, compared and written', () => {
  const at = instantFromMs(Date.UTC(2026, 10, 22, 3, 4, 5, 6));
  expect(formatInstant(at)).toBe('2026-11-22T03:04:05.006Z');
  expect(formatInstant(addMs(at, -6))).toBe('2026-11-22T03:04:05.000Z');
  expect(earliest(at, addMs(at, 1), addMs(at, -1))).toBe(at - 1);
  expect(earliest(at)).toBe(at);
});

test('a moment that no date can hold is written all the same', () => {
  expect(formatInstant(instantFromMs(9e15))).toBe('9000000000000000 ms');
});
