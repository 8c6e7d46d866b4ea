import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SymbolonError } from '#core/errors/error';
import { killCgroup, processesOf } from './cgroup.ts';

/** How long a program may take to become usable. */
const START_PATIENCE_MS = 60_000;
/** How long a program may take to end by itself after SIGTERM. */
const STOP_PATIENCE_MS = 6000;
const POLL_MS = 20;
const MAX_WORDS = 1000;

/** The program that runs in a cgroup (the first of its processes), or undefined. */
export function programIn(cgroup: string): number | undefined {
  return processesOf(cgroup)[0];
}

/** What startInPlace has started. */
export interface StartedPart {
  /** For people: `the agent of east-1`. */
  readonly what: string;
  readonly cgroup: string;
  readonly logFile: string;
  /** What startInPlace returned: where its own part of the log begins, in bytes. */
  readonly logStart: number;
  /** What it still waits for, in words; undefined: it is ready. What it throws ends the wait. */
  readonly waitsFor: () => Promise<string | undefined>;
  /** Default: 60 s. */
  readonly patienceMs?: number;
}

/** Waits until a program is ready. Throws LAB_FAILED if it ends before, or takes too long, with what it says or waits for. */
export async function waitUntilReady(part: StartedPart): Promise<void> {
  const { what, cgroup, logFile, waitsFor, patienceMs = START_PATIENCE_MS } = part;
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const waiting = await waitsFor();
    if (waiting === undefined) return;
    const ended = programIn(cgroup) === undefined;
    if (ended || Date.now() > deadline) {
      const why = ended
        ? `ended right after its start${lastWords(part)}`
        : `is not ready after ${patienceMs / 1000} s, and goes on: ${waiting}`;
      throw new SymbolonError('LAB_FAILED', `${what} ${why}; its log is ${logFile}`, { what });
    }
    await sleep(POLL_MS);
  }
}

/** What a program has printed for people after its last line of JSON: why it ended. Nothing if there is nothing. */
function lastWords({ logFile, logStart }: StartedPart): string {
  try {
    const lines = readFileSync(logFile).subarray(logStart).toString().trimEnd().split('\n');
    const [first = ''] = lines.slice(lines.findLastIndex((line) => line.startsWith('{')) + 1);
    return first === '' ? '' : `: ${first.slice(0, MAX_WORDS)}`;
  } catch {
    return '';
  }
}

/** Ends the programs of a cgroup: SIGTERM and up to 6 s for an orderly end, then SIGKILL. `signal` SIGKILL ends them at once. */
export async function stopPrograms(cgroup: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (signal === 'SIGTERM') {
    for (const pid of processesOf(cgroup)) sendSignal(pid, signal);
    const deadline = Date.now() + STOP_PATIENCE_MS;
    while (processesOf(cgroup).length > 0 && Date.now() < deadline) await sleep(POLL_MS);
  }
  await killCgroup(cgroup);
}

/** Sends a signal to every program of a cgroup. */
export function signalPrograms(cgroup: string, signal: NodeJS.Signals): void {
  for (const pid of processesOf(cgroup)) sendSignal(pid, signal);
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has just ended
  }
}
