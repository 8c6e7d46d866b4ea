import { closeSync, openSync, readdirSync, statSync } from 'node:fs';
import { namespaceIdOf } from '../../kernel/netlink/namespace-id.ts';

/** A network namespace in which processes run. */
export interface OccupiedNamespace {
  readonly namespace: bigint;
  readonly pids: readonly number[];
}

/** Inode number of a process's network namespace; undefined if there is no such process, or it may not be looked at. */
function networkNamespaceOf(pid: number, proc = '/proc'): bigint | undefined {
  try {
    return statSync(`${proc}/${pid}/ns/net`, { bigint: true }).ino;
  } catch {
    return undefined;
  }
}

/** The namespaces that are not the agent's own, by what their processes say. */
function listOccupiedNamespaces(proc = '/proc'): readonly OccupiedNamespace[] {
  const own = networkNamespaceOf(process.pid, proc);
  const pids = new Map<bigint, number[]>();
  for (const name of readdirSync(proc)) {
    if (!/^\d+$/.test(name)) continue;
    const namespace = networkNamespaceOf(Number(name), proc);
    if (namespace === undefined || namespace === own) continue;
    const known = pids.get(namespace);
    if (known) known.push(Number(name));
    else pids.set(namespace, [Number(name)]);
  }
  return [...pids].map(([namespace, list]) => ({ namespace, pids: list }));
}

/** The id under which this network namespace knows another one, asked through one of its processes; undefined if none answers. */
function idOf({ namespace, pids }: OccupiedNamespace, proc: string): number | undefined {
  for (const pid of pids) {
    let fd: number;
    try {
      fd = openSync(`${proc}/${pid}/ns/net`, 'r');
    } catch {
      continue; // it has ended
    }
    try {
      // The pid may be another process's by now: what counts is the namespace that is open.
      if (networkNamespaceOf(pid, proc) === namespace) return namespaceIdOf(fd);
    } finally {
      closeSync(fd);
    }
  }
  return undefined;
}

/**
 * Occupied namespaces by the id that a veth's far end is described with. Asked anew each time: the kernel gives both inode numbers and ids to
 * new namespaces as soon as the old ones are gone.
 */
export function occupiedNamespacesById(proc = '/proc'): ReadonlyMap<number, OccupiedNamespace> {
  const byId = new Map<number, OccupiedNamespace>();
  for (const occupied of listOccupiedNamespaces(proc)) {
    const id = idOf(occupied, proc);
    if (id !== undefined) byId.set(id, occupied);
  }
  return byId;
}
