import { join } from 'node:path';
import { CGROUP_PREFIX, RUN_FOLDER_PREFIX } from './names.ts';

/** Where labs keep what they must remember; short, because socket paths end at 108 bytes. */
export const RUN_ROOT = '/run';

/** Every path of a lab, as the machine sees it; `inside…` as its nodes see it. */
export interface LabLayout {
  readonly runFolder: string;
  readonly stateFile: string;
  readonly cgroup: string;
  placeFolder(place: string): string;
  /** The folder that a machine place sees as its /run. */
  placeRun(place: string): string;
  placeCgroup(place: string): string;
  /** `part`: a workload's name, or `agent`, or `authority`. */
  partCgroup(place: string, part: string): string;
  logFile(place: string, program: string): string;
}

/** Paths that are the same on every node. */
export const INSIDE = {
  run: '/run/symbolon',
  workloadSocket: '/run/symbolon/workload.sock',
  adminSocket: '/run/symbolon/admin.sock',
  agentData: '/var/lib/symbolon-agent',
  authorityData: '/var/lib/symbolon-authority',
  bpffs: '/sys/fs/bpf/symbolon',
  joinToken: '/run/lab/join-token',
  bootstrapBundle: '/run/lab/bootstrap-bundle.pem',
  node: '/run/lab/node',
  probe: '/run/lab/probe.js',
} as const;

/** Where a lab's things are. `cgroupRoot`: of findCgroupRoot. */
export function layoutOf(id: string, cgroupRoot: string): LabLayout {
  const runFolder = join(RUN_ROOT, `${RUN_FOLDER_PREFIX}${id}`);
  const cgroup = join(cgroupRoot, `${CGROUP_PREFIX}${id}`);
  return {
    runFolder,
    stateFile: join(runFolder, 'lab.json'),
    cgroup,
    placeFolder: (place) => join(runFolder, place),
    placeRun: (place) => join(runFolder, place, 'run'),
    placeCgroup: (place) => join(cgroup, place),
    partCgroup: (place, part) => join(cgroup, place, part),
    logFile: (place, program) => join(runFolder, place, `${program}.log`),
  };
}

/** What a path under a place's /run is called on the machine: `/run/symbolon/x` → `/run/sy-…/east-1/run/symbolon/x`. */
export function outsidePath(layout: LabLayout, place: string, inside: string): string {
  return join(layout.placeRun(place), inside.replace(/^\/run\//, ''));
}
