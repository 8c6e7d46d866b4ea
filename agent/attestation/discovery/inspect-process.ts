import { readdirSync } from 'node:fs';
import { openProcess } from '../../kernel/pidfd.ts';
import type { AttestedProcess } from '../process.ts';
import { type HeldProcess, networkNamespaceAt, selectorsAt, unlessEnded } from '../read-process.ts';

/** A process that was seen in a namespace. Without selectors it ended before they could be read: somebody was there, and nobody knows who. */
export interface SeenProcess extends Pick<AttestedProcess, 'pid' | 'networkNamespace'> {
  readonly selectors: AttestedProcess['selectors'] | undefined;
  /** Its directory in /proc, or its thread's. */
  readonly directory: string;
}

/** A thread may end before it is read, as a process may; then others are tried. */
const THREAD_ATTEMPTS = 8;

function seeAt(directory: string, held: HeldProcess, own: bigint | undefined): SeenProcess | 'elsewhere' | undefined {
  const networkNamespace = networkNamespaceAt(directory);
  if (networkNamespace === undefined) return undefined;
  if (networkNamespace === own) return 'elsewhere';
  const selectors = selectorsAt(directory);
  return { pid: held.pid, networkNamespace, selectors: held.isAlive() ? selectors : undefined, directory };
}

/** A process whose first thread has ended has no namespaces any more; its other threads, which go on, have. */
function seeThreads(held: HeldProcess, own: bigint | undefined): SeenProcess | 'elsewhere' | undefined {
  const tasks = `/proc/${held.pid}/task`;
  for (let attempt = 0; attempt < THREAD_ATTEMPTS && held.isAlive(); attempt++) {
    const newestFirst =
      unlessEnded(() => readdirSync(tasks))
        ?.map(Number)
        .sort((a, b) => b - a) ?? [];
    for (const thread of newestFirst) {
      const seen = thread === held.pid ? undefined : seeAt(`${tasks}/${thread}`, held, own);
      if (seen) return seen;
    }
  }
  return undefined;
}

/**
 * Looks at one process in one go: held first, then its namespace, its users and its cgroup. Undefined if there is none of that number, or if it
 * lies in the namespace `own`.
 */
export function inspectProcess(pid: number, own: bigint | undefined): SeenProcess | undefined {
  const held = openProcess(pid);
  if (!held) return undefined;
  try {
    const seen = seeAt(`/proc/${pid}`, held, own) ?? seeThreads(held, own);
    return seen === 'elsewhere' ? undefined : seen;
  } finally {
    held.close();
  }
}
