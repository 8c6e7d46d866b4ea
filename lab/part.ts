import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SymbolonError } from '#core/errors/error';
import { killCgroup, processesOf } from './cgroup.ts';

/** How long a program may take to become usable. */
const START_PATIENCE_MS = 60_000;
/** How long a program may take to end by itself after SIGTERM. */
const STOP_PATIENCE_MS = 6000;
const POLL_MS = 20;

/** The program that runs in a cgroup (the first of its processes), or undefined. */
export function programIn(cgroup: string): number | undefined {
  return processesOf(cgroup)[0];
}

/** Waits until `isReady`, of what startInPlace has started. Throws LAB_FAILED if the program ends before, or takes longer than 60 s, with the end of its log. */
export async function waitUntilReady(what: string, cgroup: string, logFile: string, isReady: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + START_PATIENCE_MS;
  while (!(await isReady())) {
    const ended = programIn(cgroup) === undefined;
    if (ended || Date.now() > deadline) {
      const why = ended ? 'ended right after its start' : `was not ready within ${START_PATIENCE_MS / 1000} s`;
      throw new SymbolonError('LAB_FAILED', `${what} ${why}; its log ${logFile} ends:\n${tailOf(logFile)}`, { what });
    }
    await sleep(POLL_MS);
  }
}

/** The last lines of a log, or a note that there are none. */
function tailOf(logFile: string, lines = 8): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n') || '(nothing)';
  } catch {
    return '(no log)';
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
