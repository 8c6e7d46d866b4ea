import { expect, test } from '@jest/globals';
import { instantFromMs } from '#core/time/instant';
import { Backoff } from './backoff.ts';
import { renewalTime } from './renewal-time.ts';

const at = instantFromMs(1_000_000);
const hour = { notBefore: at, notAfter: instantFromMs(at + 3_600_000) };

test.each([
  [0, 0.4],
  [0.5, 0.5],
  [1, 0.6],
])('with random %d it renews after %d of the lifetime', (random, part) => {
  expect(renewalTime(hour, at, random)).toBe(at + 3_600_000 * part);
});

test('what has half of its life behind it waits a second', () => {
  const late = instantFromMs(at + 3_000_000);
  expect(renewalTime(hour, late, 0.5)).toBe(late + 1000);
});

test('delays double to their limit, shortened by up to half, and begin anew', () => {
  const whole = new Backoff(100, 1000, () => 0);
  expect([1, 2, 3, 4, 5, 6].map(() => whole.next())).toEqual([100, 200, 400, 800, 1000, 1000]);
  whole.reset();
  expect(whole.next()).toBe(100);
  expect(new Backoff(100, 1000, () => 1).next()).toBe(50);
});
