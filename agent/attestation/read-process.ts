import { readFileSync, statSync } from 'node:fs';
import { type AttestedProcess, selectorsOfProcess } from './process.ts';

/** Holds a process so that its number cannot pass on to another (agent/kernel/pidfd). */
export interface HeldProcess {
  readonly pid: number;
  isAlive(): boolean;
}

/**
 * What /proc answers of a process that has ended, or ends while it is read. EACCES too, and for root: the kernel refuses to follow the namespace
 * of a process that has just been reaped.
 */
const ENDED: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EINVAL']);

/** What `read` returns; undefined if the process that it reads of /proc has ended. Anything else that goes wrong is thrown on. */
export function unlessEnded<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (ENDED.has((error as NodeJS.ErrnoException).code)) return undefined;
    throw error;
  }
}

/** Inode number of the network namespace of a process or thread, by its directory in /proc; undefined if it has ended. */
export function networkNamespaceAt(directory: string): bigint | undefined {
  return unlessEnded(() => statSync(`${directory}/ns/net`, { bigint: true }).ino);
}

/** The selectors of a process or thread, by its directory in /proc; undefined if it has ended. */
export function selectorsAt(directory: string): AttestedProcess['selectors'] | undefined {
  return unlessEnded(() => selectorsOfProcess(readFileSync(`${directory}/status`, 'utf8'), readFileSync(`${directory}/cgroup`, 'utf8')));
}

/**
 * Reads what attestation must know of a process, or undefined if it has ended. A held process that is alive after the reading was alive
 * during it, so that everything read is its own.
 */
export function readProcess(process: HeldProcess): AttestedProcess | undefined {
  const directory = `/proc/${process.pid}`;
  const networkNamespace = networkNamespaceAt(directory);
  const selectors = networkNamespace === undefined ? undefined : selectorsAt(directory);
  if (networkNamespace === undefined || !selectors || !process.isAlive()) return undefined;
  return { pid: process.pid, networkNamespace, selectors };
}
