import { closeSync, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { namespaceIdOf } from '../../kernel/netlink/namespace-id.ts';
import type { AttestedProcess } from '../process.ts';
import { networkNamespaceAt, unlessEnded } from '../read-process.ts';
import { inspectProcess, type SeenProcess } from './inspect-process.ts';

/** A network namespace in which processes run, as one look has found it. */
export interface OccupiedNamespace {
  readonly namespace: bigint;
  /** The id under which the agent's own namespace knows it: what a veth's far end is described with. Undefined if nobody could be asked. */
  readonly id: number | undefined;
  readonly processes: readonly AttestedProcess[];
  /** Processes that were in it and ended before they could be inspected; 0 = the look is complete. */
  readonly missed: number;
}

export type LookOrder = 'newest first' | 'oldest first';

/** After the list has been gone through, processes that began meanwhile are looked for at most so often … */
const CHASE_ROUNDS = 32;
/** … and at most so many each time. */
const CHASE_PROCESSES = 256;

/** The number that was last given to a process or thread (proc(5), /proc/loadavg); undefined if the file does not say. */
function lastNumber(): number | undefined {
  const last = /(\d+)\n?$/.exec(readFileSync('/proc/loadavg', 'latin1'))?.[1];
  return last === undefined ? undefined : Number(last);
}

/** The id of a namespace, asked through a process in it. */
function idOf({ namespace, directory }: { readonly namespace: bigint; readonly directory: string }): number | undefined {
  const fd = unlessEnded(() => openSync(`${directory}/ns/net`, 'r'));
  if (fd === undefined) return undefined;
  try {
    // The process may have gone elsewhere, or be another by now: what counts is the namespace that is open.
    return fstatSync(fd, { bigint: true }).ino === namespace ? namespaceIdOf(fd) : undefined;
  } finally {
    closeSync(fd);
  }
}

/** One look at every process. */
class Look {
  private readonly own = networkNamespaceAt('/proc/self');
  private readonly looked = new Set<number>();
  private readonly found = new Map<bigint, { id: number | undefined; processes: AttestedProcess[]; missed: number }>();

  inspect(pid: number): void {
    if (this.looked.has(pid)) return;
    this.looked.add(pid);
    const seen = inspectProcess(pid, this.own);
    if (seen) this.enter(seen);
  }

  private enter({ pid, networkNamespace, selectors, directory }: SeenProcess): void {
    const occupied = this.found.get(networkNamespace) ?? { id: undefined, processes: [], missed: 0 };
    this.found.set(networkNamespace, occupied);
    if (selectors) occupied.processes.push({ pid, networkNamespace, selectors });
    else occupied.missed++;
    occupied.id ??= idOf({ namespace: networkNamespace, directory });
  }

  /** Those that began since `last` was the last number, newest first, until none has begun any more. */
  chase(last: number | undefined): void {
    let before = last;
    for (let round = 0; round < CHASE_ROUNDS; round++) {
      const now = lastNumber();
      if (now === undefined || before === undefined || now === before) return;
      // Numbers begin anew when they are used up.
      const after = now > before ? Math.max(before, now - CHASE_PROCESSES) : Math.max(0, now - CHASE_PROCESSES);
      for (let pid = now; pid > after; pid--) this.inspect(pid);
      before = now;
    }
  }

  result(): readonly OccupiedNamespace[] {
    return [...this.found].map(([namespace, rest]) => ({
      namespace,
      ...rest,
      processes: rest.processes.sort((a, b) => a.pid - b.pid),
    }));
  }
}

/**
 * The namespaces that are not the agent's own, by what their processes say. Each process is held and inspected in one go, so that one that ends
 * under the look is noticed; then those that began during the look are looked at, so that one that goes on as another is met. Asked anew each time:
 * the kernel gives both inode numbers and ids to new namespaces as soon as the old ones are gone.
 */
export function lookAtNamespaces(order: LookOrder): readonly OccupiedNamespace[] {
  const look = new Look();
  const last = lastNumber();
  const oldestFirst = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  oldestFirst.sort((a, b) => a - b);
  for (const pid of order === 'oldest first' ? oldestFirst : oldestFirst.toReversed()) look.inspect(pid);
  look.chase(last);
  return look.result();
}
