import { expect, test } from '@jest/globals';
import { type Instant, instantFromMs } from '#core/time/instant';
import { type Clock, systemClock } from './clock.ts';
import { sparingLog } from './sparing-log.ts';

const START = Date.UTC(2026, 5, 1);

/** Lines written at each of the times, milliseconds from the start, if so many are tried. */
function writtenAt(times: readonly (readonly [ms: number, lines: number])[]): readonly (readonly object[])[] {
  let now: Instant = instantFromMs(START);
  const clock: Clock = { ...systemClock, now: () => now };
  let lines: object[] = [];
  const write = sparingLog((fields) => lines.push(fields), clock);
  return times.map(([ms, count]) => {
    now = instantFromMs(START + ms);
    lines = [];
    for (let i = 0; i < count; i++) write({ i }, 'refused');
    return lines;
  });
}
const lines = (count: number, leftOut?: number): object[] =>
  Array.from({ length: count }, (_, i) => ({ i, ...(i === 0 && leftOut !== undefined ? { leftOut } : {}) }));

test.each([
  ['few', [[0, 20]], [lines(20)]],
  ['many at once', [[0, 1000]], [lines(20)]],
  [
    'more, later in the same second',
    [
      [0, 1000],
      [999, 5],
    ],
    [lines(20), []],
  ],
  [
    'more, in the next second: the first line counts what was left out',
    [
      [0, 1000],
      [1000, 2],
    ],
    [lines(20), lines(2, 980)],
  ],
  [
    'a clock that is set back',
    [
      [5000, 25],
      [0, 1],
    ],
    [lines(20), lines(1, 5)],
  ],
] as const)('%s', (_what, times, expected) => {
  expect(writtenAt(times)).toEqual(expected);
});
