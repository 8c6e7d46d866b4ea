import { type SpawnOptions, spawn } from 'node:child_process';
import { SymbolonError } from '#core/errors/error';

/** What a command that was run to its end has said. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly input?: string;
  /** All of its environment. Default: this process's own. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Milliseconds after which it is killed, with all that it started. Default: 30000. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** Exit code of a command that was killed because its time was over (as of timeout(1)). */
const TIMEOUT_CODE = 124;

/** Runs a command to its end and collects what it says. A signal counts as 128 + its number. Throws LAB_FAILED if it cannot be started. */
export function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [file = '', ...args] = argv;
  const settings: SpawnOptions = { stdio: ['pipe', 'pipe', 'pipe'], detached: true };
  if (options.env !== undefined) settings.env = options.env;
  if (options.cwd !== undefined) settings.cwd = options.cwd;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, settings);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child.pid);
    }, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin?.on('error', () => undefined); // it may end without having read everything
    child.stdin?.end(options.input ?? '');
    child.on('error', (cause) => {
      clearTimeout(timer);
      reject(new SymbolonError('LAB_FAILED', `${file} could not be started; is it installed?`, { what: file }, cause));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const status = timedOut ? TIMEOUT_CODE : (code ?? 128 + signalNumber(signal));
      resolve({ code: status, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
  });
}

/** runCommand for a command that must succeed: LAB_FAILED with `what` and what it said otherwise. Returns its stdout. */
export async function mustRun(what: string, argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await runCommand(argv, options);
  if (result.code === 0) return result.stdout;
  const said = result.stderr.trim() || result.stdout.trim() || 'it said nothing';
  throw new SymbolonError('LAB_FAILED', `${what} failed with exit code ${result.code}: ${said}`, { what });
}

const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

/** A signal's number, for exit codes. */
export function signalNumber(signal: NodeJS.Signals | null): number {
  return SIGNALS[signal ?? ''] ?? 1;
}

/** SIGKILL for a process group that was started as `detached`; nothing if it is gone. */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // gone already
  }
}
