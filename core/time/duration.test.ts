import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatDurationMs, parseDurationMs } from './duration.ts';

describe('parseDurationMs', () => {
  test.each([
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['0s', 0],
    ['1m1ms', 60_001],
    ['24h', 86_400_000],
  ])('%s', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  test.each(['', '90', 's', '1d', '-1s', '1.5h', ' 1s', '1s ', '1 s', '1h 30m', '1S', '10000000000s', '1ss'])('nothing of %j', (text) => {
    expect(parseDurationMs(text)).toBeUndefined();
  });
});

describe('formatDurationMs', () => {
  test.each([
    [5_400_000, '1h30m'],
    [0, '0s'],
    [999, '999ms'],
    [86_400_000, '24h'],
    [3_600_001, '1h1ms'],
    [0.4, '0s'],
  ])('%d', (ms, text) => {
    expect(formatDurationMs(ms)).toBe(text);
  });

  test('what it writes is read as the same duration', () => {
    fc.assert(fc.property(fc.nat(2 ** 31 - 1), (ms) => expect(parseDurationMs(formatDurationMs(ms))).toBe(ms)));
  });
});
