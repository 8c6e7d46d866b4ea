import { Command } from 'commander';
import { EXIT_HELP } from '#daemon/exit';
import { VERSION } from '#daemon/version';
import { addAuthority } from './authority.ts';
import { addExplain } from './explain.ts';
import { addLabAgents } from './lab/agents.ts';
import { addLabDown } from './lab/down.ts';
import { addLabExec } from './lab/exec.ts';
import { addLabStatus } from './lab/status.ts';
import { addLabUp } from './lab/up.ts';
import { addStatus } from './status.ts';

/** The whole command line. `folder`: where the other bundles of the package lie. Commander's own exits become CommanderErrors. */
export function buildProgram(folder: string): Command {
  const program = new Command('symbolon')
    .description('mutual authentication as code')
    .version(VERSION)
    .enablePositionalOptions()
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText('after', EXIT_HELP)
    .exitOverride();
  const lab = program
    .command('lab')
    .description('several nodes on this machine, to try things and to test them')
    .enablePositionalOptions()
    .option('--lab <ID>', 'which lab, where there are several');
  addLabUp(lab);
  addLabAgents(lab);
  addLabStatus(lab);
  addLabExec(lab);
  addLabDown(lab);
  addStatus(program);
  addExplain(program);
  addAuthority(program, folder);
  return program;
}
