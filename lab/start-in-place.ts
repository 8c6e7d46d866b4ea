import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { SymbolonError } from '#core/errors/error';
import type { LabLayout } from './layout.ts';
import type { Place } from './place.ts';

/** The cgroup file system as a place sees it. */
const INSIDE_CGROUP = '/sys/fs/cgroup';

/** A shell command that moves the shell into a part's cgroup; to be run in the place. */
function joiningCgroup(layout: LabLayout, place: Place, part: string): string {
  const cgroup = layout.partCgroup(place.name, part).slice(layout.cgroup.lastIndexOf('/'));
  return `echo 0 >${INSIDE_CGROUP}${cgroup}/cgroup.procs`;
}

/** A shell script that moves itself into a part's cgroup and goes on as `"$@"`; to be run in the place. */
export function enteringCgroup(layout: LabLayout, place: Place, part: string): string {
  return `${joiningCgroup(layout, place, part)}; exec "$@"`;
}

/**
 * Starts `argv` in a part of a place so that nobody outside waits for it: its parent is the place's first process. Its output is appended to
 * `logFile`, or lost. Returns when it has been started: it is in the part's cgroup unless it has ended; with the size of the log before. Throws LAB_FAILED if
 * the place is gone.
 */
export async function startInPlace(
  layout: LabLayout,
  place: Place,
  part: string,
  argv: readonly string[],
  logFile?: string,
): Promise<number> {
  const enter = [`--target=${place.pid}`, '--mount', '--uts', '--net', '--pid', '--no-fork', '--'];
  const output = openSync(logFile ?? '/dev/null', 'a', 0o640);
  try {
    const { size } = fstatSync(output);
    // The shell is in the cgroup before it starts what is to run there.
    const shell = ['sh', '-c', `${joiningCgroup(layout, place, part)} || exit; "$@" </dev/null &`, 'sh', ...argv];
    const child = spawn('nsenter', [...enter, ...shell], { stdio: ['ignore', output, output], cwd: '/' });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0)
      throw new SymbolonError('LAB_FAILED', `${part} could not be started on ${place.name}: the place is gone`, { what: part });
    return size;
  } finally {
    closeSync(output);
  }
}
