import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SymbolonError } from '#core/errors/error';

const KILL_PATIENCE_MS = 20_000;
const POLL_MS = 5;

/** Where the unified hierarchy is mounted, read from /proc/self/mountinfo. Throws PREREQUISITE_MISSING. */
export function findCgroupRoot(mountInfo: string = readFileSync('/proc/self/mountinfo', 'utf8')): string {
  for (const line of mountInfo.split('\n')) {
    const [mount = '', filesystem = ''] = line.split(' - ');
    const fields = mount.split(' ');
    if (filesystem.startsWith('cgroup2 ') && fields[3] === '/') return fields[4] ?? '';
  }
  throw new SymbolonError('PREREQUISITE_MISSING', 'no cgroup2 file system is mounted; mount one: mount -t cgroup2 none /sys/fs/cgroup', {
    what: 'cgroup2',
  });
}

/** Creates the group, and those above it. */
export function createCgroup(path: string): void {
  mkdirSync(path, { recursive: true });
}

/** The processes of exactly this group, by the numbers of the caller's PID namespace; empty if there is no such group. */
export function processesOf(path: string): readonly number[] {
  try {
    return readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function isPopulated(path: string): boolean {
  try {
    return readFileSync(join(path, 'cgroup.events'), 'utf8').includes('populated 1');
  } catch {
    return false;
  }
}

/** Kills every process of the group and of those below, and waits until they are gone. */
export async function killCgroup(path: string): Promise<void> {
  if (!existsSync(path)) return;
  const deadline = Date.now() + KILL_PATIENCE_MS;
  while (isPopulated(path)) {
    try {
      writeFileSync(join(path, 'cgroup.kill'), '1');
    } catch {
      return; // removed by another sweep
    }
    if (Date.now() > deadline) throw new SymbolonError('LAB_FAILED', `processes of ${path} do not end`, { what: path });
    await sleep(POLL_MS);
  }
}

/** Removes the group and those below; they must be empty of processes. */
export function removeCgroup(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) removeCgroup(join(path, entry.name));
  try {
    rmdirSync(path);
  } catch (error) {
    if (existsSync(path)) throw error;
  }
}
