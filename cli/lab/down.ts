import type { Command } from 'commander';
import { openLab } from '#lab/lab';
import { labChoice } from './choice.ts';
import { printLines } from '../output.ts';

/** `symbolon lab down`. */
export function addLabDown(lab: Command): void {
  lab
    .command('down')
    .description('remove the lab and everything that it has put on this machine')
    .action(async (_: object, command: Command) => {
      const up = openLab(labChoice(command));
      await up.down();
      printLines(`lab ${up.id} is gone`);
    });
}
