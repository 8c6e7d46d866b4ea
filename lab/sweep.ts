import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { findCgroupRoot, killCgroup, removeCgroup } from './cgroup.ts';
import { type LabLayout, layoutOf, RUN_ROOT } from './layout.ts';
import { CGROUP_PREFIX, RUN_FOLDER_PREFIX } from './names.ts';
import { isAlive, type ProcessIdentity } from './process-identity.ts';
import { type FoundLab, findLabs } from './state.ts';

/** A run folder without a readable lab.json belongs to a lab that is just being started, until it is this old. */
const START_GRACE_MS = 10_000;

export interface SweepInput {
  readonly labs: readonly (FoundLab & { readonly ageMs: number })[];
  /** Ids of the cgroups that look like a lab's. */
  readonly cgroups: readonly string[];
  readonly isAlive: (owner: ProcessIdentity) => boolean;
}

/** The ids of labs that nobody will remove any more: the owner is dead, or the start never got as far as naming one. */
export function planSweep(input: SweepInput): readonly string[] {
  const abandoned = input.labs.filter(({ state, ageMs }) =>
    state === undefined ? ageMs > START_GRACE_MS : state.owner !== null && !input.isAlive(state.owner),
  );
  const known = new Set(input.labs.map((l) => l.id));
  return [...abandoned.map((l) => l.id), ...input.cgroups.filter((id) => !known.has(id))];
}

/** Removes every abandoned lab of the machine, of whichever checkout. Returns their ids. */
export async function sweepLabs(): Promise<readonly string[]> {
  const cgroupRoot = findCgroupRoot();
  const now = Date.now();
  const cgroups = readdirSync(cgroupRoot)
    .filter((name) => name.startsWith(CGROUP_PREFIX))
    .map((name) => name.slice(CGROUP_PREFIX.length));
  const labs = findLabs().map((lab) => ({ ...lab, ageMs: now - changedAt(`${RUN_ROOT}/${RUN_FOLDER_PREFIX}${lab.id}`) }));
  const ids = planSweep({ labs, cgroups, isAlive });
  for (const id of ids) await removeLab(layoutOf(id, cgroupRoot));
  return ids;
}

function changedAt(path: string): number {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

/** Ends every process of a lab, and with them its namespaces, links, mounts and pins; then removes its cgroups and its run folder. */
export async function removeLab(layout: LabLayout): Promise<void> {
  await killCgroup(layout.cgroup);
  removeCgroup(layout.cgroup);
  rmSync(layout.runFolder, { recursive: true, force: true });
}
