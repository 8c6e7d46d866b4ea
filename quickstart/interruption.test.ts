import { afterEach, expect, test } from '@jest/globals';
import { Interruption } from './interruption.ts';

// A signal that nothing else listens to, raised within the process.
const SIGNAL = 'SIGUSR2';
const raise = (): boolean => process.emit(SIGNAL);
afterEach(() => {
  process.removeAllListeners(SIGNAL);
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('without an interruption, work leads to what it leads to', async () => {
  const interruption = new Interruption([SIGNAL], () => Promise.resolve());
  expect(await interruption.outcomeOf(Promise.resolve(7))).toBe(7);
  await expect(interruption.outcomeOf(Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(interruption.came).toBe(false);
});

test('what is under way when it comes leads to nothing; the first signal ends, once', async () => {
  const ends: string[] = [];
  const interruption = new Interruption([SIGNAL], async (signal) => {
    ends.push(signal);
  });
  const settled: string[] = [];
  let fail: (error: Error) => void = () => undefined;
  let succeed = (): void => undefined;
  const failing = new Promise<void>((_, reject) => (fail = reject));
  const succeeding = new Promise<void>((resolve) => (succeed = resolve));
  for (const work of [failing, succeeding]) {
    interruption.outcomeOf(work).then(
      () => settled.push('done'),
      () => settled.push('failed'),
    );
  }
  // What comes of it is seen before it, in the same turn.
  fail(new Error('the lab is gone'));
  await Promise.resolve();
  raise();
  raise();
  succeed();
  await turn();
  await turn();
  expect({ ends, settled, came: interruption.came }).toEqual({ ends: [SIGNAL], settled: [], came: true });
});
