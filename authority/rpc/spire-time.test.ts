import { expect, test } from '@jest/globals';
import { parseSpireTime } from './spire-time.ts';

const NOON = Date.UTC(2026, 1, 28, 12) / 1000;

test.each([
  ['2026-02-28 12:00:00 +0000 +00', NOON],
  ['2026-02-28 14:00:00 +0200 +02', NOON],
  ['2026-02-28 05:00:00 -0700 -07', NOON],
  ['2026-02-28T12:00:00Z', NOON],
  ['2026-02-28T17:30:00+05:30', NOON],
  ['2026-02-28T12:00:00.500Z', NOON + 0.5],
])('%s is a time', (text, seconds) => {
  expect(parseSpireTime(text)).toBe(seconds);
});

test.each([
  '',
  '1',
  '2026',
  '2026-02-28',
  'Sat Feb 28 2026',
  '2026-02-28 12:00:00',
  '2026-02-28T12:00:00',
  '2026-02-28 12:00:00 +0200 +03',
  '2026-02-28 12:00:00 +0000 UTC',
  '2026-02-30 12:00:00 +0000 +00',
  '2026-13-01T00:00:00Z',
  '2026-02-28T25:00:00Z',
  '2026-02-28T12:00:00Z and more',
])('%j is none', (text) => {
  expect(parseSpireTime(text)).toBeNaN();
});
