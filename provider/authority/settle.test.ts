import { describe, expect, test } from '@jest/globals';
import { type ErrorCode, type ErrorContexts } from '#core/errors/codes';
import { SymbolonError } from '#core/errors/error';
import { maySettle, untilSettled } from './settle.ts';

function refusal<C extends ErrorCode>(code: C, context: ErrorContexts[C]): SymbolonError {
  return new SymbolonError(code, 'refused', context);
}
const OVERLAP = refusal('CONFLICT', { what: '10.0.0.0/8', field: 'address_prefixes' });

test.each<[string, SymbolonError, boolean]>([
  ['an overlap', OVERLAP, true],
  ['a change by somebody else', refusal('CONFLICT', { what: 'console' }), false],
  ['a prefix outside', refusal('ENTRY_INVALID', { field: 'address_prefixes', value: '' }), true],
  ['another field', refusal('ENTRY_INVALID', { field: 'hint', value: '' }), false],
  ['an object of our own', refusal('ALREADY_EXISTS', { what: 'x', owner: 'me' }), true],
  ["somebody else's", refusal('ALREADY_EXISTS', { what: 'x', owner: 'you' }), false],
  ['settings', refusal('ALREADY_EXISTS', { what: 'x' }), false],
  ['a missing object', refusal('NOT_FOUND', { what: 'x' }), false],
])('%s may settle: %s', (_, error, expected) => {
  expect(maySettle(error, 'me')).toBe(expected);
});

describe('a change that may settle', () => {
  const changing = (refusals: number, error: unknown = OVERLAP) => {
    const tries: number[] = [];
    const change = async (): Promise<string> => {
      tries.push(performance.now());
      if (tries.length <= refusals) throw error;
      return 'done';
    };
    return { tries, change };
  };

  test('is tried until it does', async () => {
    const { tries, change } = changing(3);
    expect(await untilSettled('me', new AbortController().signal, change)).toBe('done');
    expect(tries).toHaveLength(4);
  });

  test('is not tried for ever', async () => {
    const { change } = changing(Infinity);
    const since = performance.now();
    await expect(untilSettled('me', new AbortController().signal, change)).rejects.toBe(OVERLAP);
    expect(performance.now() - since).toBeGreaterThan(2000);
    expect(performance.now() - since).toBeLessThan(6000);
  }, 10_000);

  test('is tried once if it cannot, or after an interrupt', async () => {
    const gone = refusal('NOT_FOUND', { what: 'x' });
    const never = changing(Infinity, gone);
    await expect(untilSettled('me', new AbortController().signal, never.change)).rejects.toBe(gone);
    const stopped = changing(Infinity);
    await expect(untilSettled('me', AbortSignal.abort(), stopped.change)).rejects.toBe(OVERLAP);
    expect([never.tries.length, stopped.tries.length]).toEqual([1, 1]);
  });

  test('ends soon after an interrupt', async () => {
    const { change } = changing(Infinity);
    const stop = new AbortController();
    const since = performance.now();
    const waiting = untilSettled('me', stop.signal, change);
    setTimeout(() => stop.abort(), 600);
    await expect(waiting).rejects.toBe(OVERLAP);
    expect(performance.now() - since).toBeLessThan(1500);
  });
});
