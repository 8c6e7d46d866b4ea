import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ReplayWindow } from './replay-window.ts';

test('a number is taken once', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 300 }), (numbers) => {
      const window = new ReplayWindow();
      const taken = new Set<number>();
      for (const n of numbers) {
        if (window.claim(n)) {
          expect(taken.has(n)).toBe(false);
          taken.add(n);
        }
      }
    }),
  );
});

test.each([
  ['in order', [0, 1, 2], [true, true, true]],
  ['out of order within the window', [4095, 0, 4095], [true, true, false]],
  ['older than the window', [4096, 0], [true, false]],
  ['after a jump over several windows', [0, 100_000, 0, 99_999, 99_999], [true, true, false, true, false]],
])('%s', (_name, numbers, expected) => {
  const window = new ReplayWindow();
  expect(numbers.map((n) => window.claim(n))).toEqual(expected);
});
