import { type Command, CommanderError } from 'commander';
import type { ErrorCode } from '#core/errors/codes';
import { describeError, isSymbolonError } from '#core/errors/error';

/** What the exit codes of every executable mean. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;
export const EXIT_HELP = '\nExit codes: 0 done or allowed, 1 failed or denied, 2 not understood.';

/** Something was asked for in a way that cannot be meant: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What was written cannot be meant, on the command line or in a file that it names. */
const NOT_UNDERSTOOD: ReadonlySet<ErrorCode> = new Set([
  'CONFIG_INVALID',
  'LAB_INVALID',
  'TRUST_DOMAIN_INVALID',
  'SPIFFE_ID_INVALID',
  'ADDRESS_INVALID',
  'PORT_INVALID',
  'TRAFFIC_INVALID',
]);

/** What to print for an error, and the exit code. A plain Error that is not ours keeps its stack: it is a fault of the program. */
export function explainFailure(program: string, error: unknown): { readonly code: number; readonly text: string } {
  // Commander has printed help and complaints already.
  if (error instanceof CommanderError) return { code: error.exitCode === 0 ? EXIT.ok : EXIT.usage, text: '' };
  if (error instanceof UsageError) return { code: EXIT.usage, text: `${program}: ${error.message}` };
  if (isSymbolonError(error))
    return { code: NOT_UNDERSTOOD.has(error.code) ? EXIT.usage : EXIT.failed, text: `${program}: ${describeError(error)}` };
  return { code: EXIT.failed, text: `${program}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` };
}

/** Whoever reads the output may have read enough (`| head`): that ends the process, and is no fault. */
function endWhenNobodyReads(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
}

/** Runs the process's command line. A failure is printed and ends the process; its exit code is one of EXIT. The command must override exits. */
export async function runCommandLine(command: Command): Promise<void> {
  process.stdout.on('error', endWhenNobodyReads);
  try {
    await command.parseAsync();
  } catch (error) {
    const { code, text } = explainFailure(command.name(), error);
    if (text) process.stderr.write(`${text}\n`);
    process.exit(code);
  }
}
