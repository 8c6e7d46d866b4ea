import { runCommandLine } from '#daemon/exit';
import { agentCommand } from '../command.ts';

void runCommandLine(agentCommand(process.env, __dirname));
