import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a command to its end and returns its standard output. Throws with what it printed if it fails. */
export async function run(command: string, args: readonly string[], cwd: string, environment: NodeJS.ProcessEnv = {}): Promise<string> {
  try {
    const { stdout } = await execute(command, [...args], { cwd, env: { ...process.env, ...environment }, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
}
