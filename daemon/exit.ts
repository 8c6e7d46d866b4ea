import { CommanderError } from 'commander';
import { describeError, isSymbolonError } from '#core/errors/error';

/** What the exit codes of `symbolon` mean. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** Something was asked for in a way that cannot be meant: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What to print for an error, and the exit code. A plain Error that is not ours keeps its stack: it is a fault of the program. */
export function explainFailure(error: unknown): { readonly code: number; readonly text: string } {
  // Commander has printed help and complaints already.
  if (error instanceof CommanderError) return { code: error.exitCode === 0 ? EXIT.ok : EXIT.usage, text: '' };
  if (error instanceof UsageError) return { code: EXIT.usage, text: `symbolon: ${error.message}` };
  if (isSymbolonError(error, 'LAB_INVALID') || isSymbolonError(error, 'CONFIG_INVALID'))
    return { code: EXIT.usage, text: `symbolon: ${error.message}` };
  if (isSymbolonError(error)) return { code: EXIT.failed, text: `symbolon: ${describeError(error)}` };
  return { code: EXIT.failed, text: `symbolon: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` };
}
