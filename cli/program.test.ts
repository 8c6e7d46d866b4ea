import { describe, expect, test } from '@jest/globals';
import { EXIT, explainFailure } from '#daemon/exit';
import { buildProgram } from './program.ts';

async function failureOf(...args: readonly string[]): Promise<number> {
  const program = buildProgram('/nowhere');
  for (const command of [program, ...program.commands]) command.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  try {
    await program.parseAsync(['node', 'symbolon', ...args]);
    return 0;
  } catch (error) {
    return explainFailure('symbolon', error).code;
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
    [['status', '--authority', '192.0.2.1:7400'], EXIT.usage],
    [['status', '--authority', '192.0.2.1:7400', '--admin-socket', '/x'], EXIT.usage],
    [['status', '--admin-socket', '/nonexistent/admin.sock'], EXIT.failed],
    [['status', '--run', '/nonexistent'], EXIT.failed],
    [['status', '--authority', '192.0.2.1:7400', '--trust-domain', 'East'], EXIT.usage],
    [['authority', 'serve'], EXIT.failed],
  ])('symbolon %j: %i', async (args, code) => {
    expect(await failureOf(...args)).toBe(code);
  });
});
