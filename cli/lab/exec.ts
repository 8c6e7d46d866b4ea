import type { Command } from 'commander';
import { openLab } from '#lab/lab';
import { runInherited } from '../inherit.ts';
import { labChoice } from './choice.ts';

/** `symbolon lab exec NODE [--workload NAME] -- CMD…`; the exit code is CMD's. */
export function addLabExec(lab: Command): void {
  lab
    .command('exec <NODE> <CMD...>')
    .description('run a command on a node (or in operator, authority, router), with --workload as that workload; the exit code is its own')
    .option('--workload <NAME>', "run it in the workload's namespace and cgroup, as its user, with SPIFFE_ENDPOINT_SOCKET set")
    .action(async (node: string, argv: readonly string[], options: { readonly workload?: string }, command: Command) => {
      const target = options.workload === undefined ? { place: node } : { place: node, workload: options.workload };
      process.exitCode = await runInherited(openLab(labChoice(command)).commandFor(target, argv));
    });
}
