import { describe, expect, test } from '@jest/globals';
import { assertNever, describeError, isSymbolonError, SymbolonError } from './error.ts';

const cause = new TypeError('the socket closed');
const error = new SymbolonError('TIMEOUT', 'no answer in 5 ms', { what: 'x', ms: 5 }, cause);

describe('SymbolonError', () => {
  test('keeps code, context and cause', () => {
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'SymbolonError',
      code: 'TIMEOUT',
      context: { what: 'x', ms: 5 },
      cause,
      message: 'no answer in 5 ms',
    });
  });

  test('has no cause where none was given', () => {
    expect(new SymbolonError('TIMEOUT', 'late', { what: 'x', ms: 5 })).not.toHaveProperty('cause');
  });
});

describe('isSymbolonError', () => {
  test.each<[unknown, boolean, boolean]>([
    [error, true, true],
    [new SymbolonError('UNAVAILABLE', 'gone', { what: 'x' }), true, false],
    [cause, false, false],
    [{ name: 'SymbolonError', code: 'TIMEOUT' }, false, false],
    [undefined, false, false],
  ])('%s', (value, any, timeout) => {
    expect([isSymbolonError(value), isSymbolonError(value, 'TIMEOUT')]).toEqual([any, timeout]);
  });
});

describe('describeError', () => {
  test.each<[unknown, string]>([
    [error, 'no answer in 5 ms: the socket closed'],
    [new Error('outer', { cause: error }), 'outer: no answer in 5 ms: the socket closed'],
    [new Error('alone'), 'alone'],
    [new Error('odd', { cause: 7 }), 'odd: 7'],
    [new Error('all said', { cause: new Error('') }), 'all said'],
    [new Error('', { cause: new Error('why') }), ': why'],
    ['text', 'text'],
    [undefined, 'undefined'],
  ])('%#', (value, text) => {
    expect(describeError(value)).toBe(text);
  });

  test('ends where causes go round in a circle', () => {
    const first = new Error('first');
    const second = new Error('second', { cause: first });
    first.cause = second;
    expect(describeError(second)).toBe('second: first');
  });
});

test('assertNever throws where the types were wrong', () => {
  expect(() => assertNever('more' as never)).toThrow('"more"');
  expect(() => assertNever(5n as never)).toThrow(TypeError);
});
