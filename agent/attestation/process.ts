import type { Selector } from '#core/registration/selector';

/** What attestation knows of a process. */
export interface AttestedProcess {
  readonly pid: number;
  /** Inode number of its network namespace. */
  readonly networkNamespace: bigint;
  readonly selectors: readonly Selector[];
}

function statusNumbers(status: string, field: string): readonly string[] {
  const line = new RegExp(`^${field}:([\\t \\d]*)$`, 'm').exec(status);
  return line?.[1]?.split(/\s+/).filter((text) => text !== '') ?? [];
}

/**
 * The selectors of a process, from the texts of its /proc/PID/status and /proc/PID/cgroup (proc(5)): `unix:uid:N` and `unix:gid:N` (effective),
 * `unix:supplementary_gid:N`, and `cgroup:path:/a/b` for its cgroup (version 2) and every one above it but the root. Undefined if a text is
 * not what the kernel writes.
 */
export function selectorsOfProcess(status: string, cgroup: string): readonly Selector[] | undefined {
  // Real, effective, saved and file system IDs, in this order.
  const uid = statusNumbers(status, 'Uid')[1];
  const gid = statusNumbers(status, 'Gid')[1];
  if (uid === undefined || gid === undefined) return undefined;
  const path = /^0::(\/.*)$/m.exec(cgroup)?.[1];
  const segments = path === undefined || path.startsWith('/..') ? [] : path.split('/').slice(1);
  const unix = [`uid:${uid}`, `gid:${gid}`, ...statusNumbers(status, 'Groups').map((group) => `supplementary_gid:${group}`)];
  return [
    ...unix.map((value) => ({ type: 'unix', value })),
    ...segments.flatMap((segment, i) => (segment === '' ? [] : [{ type: 'cgroup', value: `path:/${segments.slice(0, i + 1).join('/')}` }])),
  ];
}
