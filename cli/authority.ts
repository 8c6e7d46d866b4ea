import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { SymbolonError } from '#core/errors/error';
import { runInherited } from './inherit.ts';

/** `symbolon authority …`: the bundle beside this one, with everything that follows. */
export function addAuthority(program: Command, folder: string): void {
  program
    .command('authority [ARGS...]')
    .description('the control plane of a trust domain: serve, admin-svid, bundle show (see `symbolon authority --help`)')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (_: readonly string[], __: object, command: Command) => {
      const bundle = join(folder, 'symbolon-authority.js');
      if (!existsSync(bundle))
        throw new SymbolonError('PREREQUISITE_MISSING', `${bundle} is not there; run \`npm run build\``, { what: bundle });
      process.exitCode = await runInherited([process.execPath, bundle, ...command.args]);
    });
}
