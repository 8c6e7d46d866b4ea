import { runCommandLine } from '#daemon/exit';
import { buildProgram } from '../program.ts';

void runCommandLine(buildProgram(__dirname));
