import type { Command } from 'commander';

/** Which lab `--lab ID` means; without it, the one that this checkout has up. */
export function labChoice(command: Command): { readonly id?: string } {
  const { lab } = command.optsWithGlobals<{ readonly lab?: string }>();
  return lab === undefined ? {} : { id: lab };
}
