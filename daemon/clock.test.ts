import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { systemClock } from './clock.ts';

const DAY_MS = 86_400_000;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test.each([
  ['a moment', 5],
  ["setTimeout's longest", 2 ** 31 - 1],
  ['a millisecond more', 2 ** 31],
  ['a year', 365 * DAY_MS],
])('after %s, once and not before', (_, ms) => {
  const run = jest.fn();
  systemClock.after(ms, run);
  jest.advanceTimersByTime(ms - 1);
  expect(run).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1);
  expect(run).toHaveBeenCalledTimes(1);
  jest.advanceTimersByTime(ms);
  expect(run).toHaveBeenCalledTimes(1);
});

test.each([1, 30])('cancelled after %i days, it never comes', (days) => {
  const run = jest.fn();
  const timer = systemClock.after(60 * DAY_MS, run);
  jest.advanceTimersByTime(days * DAY_MS);
  timer.cancel();
  jest.advanceTimersByTime(100 * DAY_MS);
  expect(run).not.toHaveBeenCalled();
});
