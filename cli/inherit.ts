import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { signalNumber } from '#lab/command';

/** Runs a command on our own stdin, stdout and stderr and returns its exit code; SIGTERM and SIGHUP are passed on (Ctrl-C reaches it anyway). */
export async function runInherited(argv: readonly string[]): Promise<number> {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { stdio: 'inherit' });
  const passOn = (signal: NodeJS.Signals): void => void child.kill(signal);
  const stay = (): void => undefined;
  process.on('SIGTERM', passOn).on('SIGHUP', passOn).on('SIGINT', stay);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + signalNumber(signal);
  } finally {
    process.off('SIGTERM', passOn).off('SIGHUP', passOn).off('SIGINT', stay);
  }
}
