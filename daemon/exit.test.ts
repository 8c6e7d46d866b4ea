import { expect, test } from '@jest/globals';
import { CommanderError } from 'commander';
import { SymbolonError } from '#core/errors/error';
import { EXIT, explainFailure, UsageError } from './exit.ts';

test.each([
  ['what a person wrote wrongly', new UsageError('no'), EXIT.usage, 'symbolon: no'],
  [
    'a bad lab file',
    new SymbolonError('LAB_INVALID', 'lab.yaml:1:1: no', { path: '', value: '' }),
    EXIT.usage,
    'symbolon: lab.yaml:1:1: no',
  ],
  [
    'a bad flag',
    new SymbolonError('CONFIG_INVALID', '--listen "x" no', { path: '--listen', value: 'x' }),
    EXIT.usage,
    'symbolon: --listen "x" no',
  ],
  [
    'a failure with a cause',
    new SymbolonError('LAB_FAILED', 'no', { what: '' }, new Error('because')),
    EXIT.failed,
    'symbolon: no: because',
  ],
  ['commander’s own', new CommanderError(1, 'commander.unknownCommand', 'x'), EXIT.usage, ''],
])('%s', (_, error, code, text) => {
  expect(explainFailure('symbolon', error)).toEqual({ code, text });
});

test('a fault of the program shows its stack', () => {
  expect(explainFailure('symbolon', new TypeError('oops')).text).toContain('exit.test.ts');
});
