import { runCommandLine } from '#daemon/exit';
import { authorityCommand } from '../admin/command.ts';

void runCommandLine(authorityCommand());
