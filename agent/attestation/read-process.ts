import { readFileSync, statSync } from 'node:fs';
import { type AttestedProcess, selectorsOfProcess } from './process.ts';

/** Holds a process so that its number cannot pass on to another (agent/kernel/pidfd). */
export interface HeldProcess {
  readonly pid: number;
  isAlive(): boolean;
}

/**
 * Reads what attestation must know of a process, or undefined if it has ended. A held process that is alive after the reading was alive
 * during it, so that everything read is its own.
 */
export function readProcess(process: HeldProcess): AttestedProcess | undefined {
  const directory = `/proc/${process.pid}`;
  try {
    const networkNamespace = statSync(`${directory}/ns/net`, { bigint: true }).ino;
    const selectors = selectorsOfProcess(readFileSync(`${directory}/status`, 'utf8'), readFileSync(`${directory}/cgroup`, 'utf8'));
    return selectors && process.isAlive() ? { pid: process.pid, networkNamespace, selectors } : undefined;
  } catch (error) {
    // ENOENT, ESRCH: it has ended meanwhile.
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
