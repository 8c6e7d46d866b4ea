import { describe, expect, test } from '@jest/globals';
import { CommanderError } from 'commander';
import { SymbolonError } from '#core/errors/error';
import { EXIT, explainFailure, UsageError } from './exit.ts';
import { buildProgram } from './program.ts';

async function failureOf(...args: readonly string[]): Promise<number> {
  const program = buildProgram('/nowhere');
  for (const command of [program, ...program.commands]) command.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  try {
    await program.parseAsync(['node', 'symbolon', ...args]);
    return 0;
  } catch (error) {
    return explainFailure(error).code;
  }
}

describe('exit codes', () => {
  test.each([
    [['--help'], EXIT.ok],
    [['--version'], EXIT.ok],
    [['lab', '--help'], EXIT.ok],
    [['laab'], EXIT.usage],
    [['explain', 'web'], EXIT.usage],
    [['explain', 'web', 'payments'], EXIT.usage],
    [['status', '--authority', '192.0.2.1:8081'], EXIT.usage],
    [['status', '--authority', '192.0.2.1:8081', '--admin-socket', '/x'], EXIT.usage],
    [['status', '--admin-socket', '/nonexistent/admin.sock'], EXIT.failed],
    [['status', '--run', '/nonexistent'], EXIT.failed],
    [['authority', 'serve'], EXIT.failed],
  ])('symbolon %j: %i', async (args, code) => {
    expect(await failureOf(...args)).toBe(code);
  });
});

test.each([
  ['what a person wrote wrongly', new UsageError('no'), EXIT.usage, 'symbolon: no'],
  [
    'a bad lab file',
    new SymbolonError('LAB_INVALID', 'lab.yaml:1:1: no', { path: '', value: '' }),
    EXIT.usage,
    'symbolon: lab.yaml:1:1: no',
  ],
  [
    'a failure with a cause',
    new SymbolonError('LAB_FAILED', 'no', { what: '' }, new Error('because')),
    EXIT.failed,
    'symbolon: no: because',
  ],
  ['commander’s own', new CommanderError(1, 'commander.unknownCommand', 'x'), EXIT.usage, ''],
])('%s', (_, error, code, text) => {
  expect(explainFailure(error)).toEqual({ code, text });
});

test('a fault of the program shows its stack', () => {
  expect(explainFailure(new TypeError('oops')).text).toContain('program.test.ts');
});
