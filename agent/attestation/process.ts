import type { Selector } from '#core/registration/selector';

/** What attestation knows of a process. */
export interface AttestedProcess {
  readonly pid: number;
  /** Inode number of its network namespace. */
  readonly networkNamespace: bigint;
  readonly selectors: readonly Selector[];
}

/**
 * What stands behind `prefix` in the one line that begins with it; undefined if there is no such line, or several. A line ends with a line feed
 * and with nothing else: names in these texts are their owners' to choose, and may hold every other byte, carriage returns too.
 */
function onlyLine(lines: readonly string[], prefix: string): string | undefined {
  const [line, ...more] = lines.filter((text) => text.startsWith(prefix));
  return more.length > 0 ? undefined : line?.slice(prefix.length);
}

function numbersOf(text: string | undefined): readonly string[] | undefined {
  return text !== undefined && /^[\t \d]*$/.test(text) ? text.split(/[\t ]+/).filter((number) => number !== '') : undefined;
}

/** The lines of a status after the first, which is the name that the process has given itself: no other line is its to write. */
function statusLines(status: string): readonly string[] {
  const [name, ...lines] = status.split('\n');
  return name?.startsWith('Name:') ? lines : [];
}

/**
 * The selectors of a process, from the texts of its /proc/PID/status and /proc/PID/cgroup (proc(5)): `unix:uid:N` and `unix:gid:N` (effective),
 * `unix:supplementary_gid:N`, and `cgroup:path:/a/b` for its cgroup (version 2) and every one above it but the root. Undefined if a text is
 * not what the kernel writes.
 */
export function selectorsOfProcess(status: string, cgroup: string): readonly Selector[] | undefined {
  const lines = statusLines(status);
  // Real, effective, saved and file system IDs, in this order.
  const uid = numbersOf(onlyLine(lines, 'Uid:'))?.[1];
  const gid = numbersOf(onlyLine(lines, 'Gid:'))?.[1];
  const groups = numbersOf(onlyLine(lines, 'Groups:'));
  if (uid === undefined || gid === undefined || groups === undefined) return undefined;
  const path = onlyLine(cgroup.split('\n'), '0::');
  const segments = path === undefined || !path.startsWith('/') || path.startsWith('/..') ? [] : path.split('/').slice(1);
  const unix = [`uid:${uid}`, `gid:${gid}`, ...groups.map((group) => `supplementary_gid:${group}`)];
  return [
    ...unix.map((value) => ({ type: 'unix', value })),
    ...segments.flatMap((segment, i) => (segment === '' ? [] : [{ type: 'cgroup', value: `path:/${segments.slice(0, i + 1).join('/')}` }])),
  ];
}
