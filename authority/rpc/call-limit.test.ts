import { expect, test } from '@jest/globals';
import { CallLimit, type CallLimits } from './call-limit.ts';

const BUSY = { code: 'BUSY', context: { what: 'Join' } };

/** Begins a call for each caller; says which were refused, and lets the others end. */
async function refused(limits: CallLimits, callers: readonly string[]): Promise<readonly number[]> {
  const limit = new CallLimit(limits);
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const calls = callers.map((caller) => limit.run('Join', caller, () => ended));
  setTimeout(end, 5);
  const outcomes = await Promise.allSettled(calls);
  for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(BUSY);
  // Whatever has ended makes room again.
  await Promise.all(callers.slice(0, limits.ofOne).map((caller) => limit.run('Join', caller, async () => undefined)));
  return outcomes.flatMap((outcome, i) => (outcome.status === 'rejected' ? [i] : []));
}

test.each<[string, CallLimits, string[], number[]]>([
  ['fewer than may be', { all: 4, ofOne: 2 }, ['a', 'a', 'b', 'b'], []],
  ['more of one caller', { all: 9, ofOne: 2 }, ['a', 'a', 'a', 'b', 'a'], [2, 4]],
  ['more of all together', { all: 3, ofOne: 2 }, ['a', 'b', 'c', 'd', 'a'], [3, 4]],
])('%s', async (_what, limits, callers, indices) => {
  expect(await refused(limits, callers)).toEqual(indices);
});

test('what the work throws is thrown, and makes room', async () => {
  const limit = new CallLimit({ all: 1, ofOne: 1 });
  const fail = () => limit.run('Join', 'a', () => Promise.reject(new Error('disk')));
  await expect(fail()).rejects.toThrow('disk');
  await expect(fail()).rejects.toThrow('disk');
});
