import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SymbolonError } from '#core/errors/error';
import { type LabLayout, RUN_ROOT } from './layout.ts';
import { RUN_FOLDER_PREFIX } from './names.ts';
import type { Place } from './place.ts';
import type { ProcessIdentity } from './process-identity.ts';
import type { LabSpec } from './spec.ts';

/** What a lab remembers of itself, in lab.json: enough for another process to use it or to remove it. */
export interface LabState {
  readonly id: string;
  readonly checkout: string;
  /** The process that must live for the lab to stay; null: it stays until `lab down`. */
  readonly owner: ProcessIdentity | null;
  /** When it was started, milliseconds since the Unix epoch. */
  readonly startedAtMs: number;
  readonly spec: LabSpec;
  readonly places: readonly Place[];
}

/** Writes lab.json at once or not at all. */
export function writeState(layout: LabLayout, state: LabState): void {
  const draft = `${layout.stateFile}.new`;
  writeFileSync(draft, `${JSON.stringify(state, null, 1)}\n`, { mode: 0o644 });
  renameSync(draft, layout.stateFile);
}

/** The state in a lab.json, or undefined if it is none. */
function readState(file: string): LabState | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as LabState;
  } catch {
    return undefined;
  }
}

/** A run folder found on the machine; `state` is undefined where its lab.json is missing or unreadable. */
export interface FoundLab {
  readonly id: string;
  readonly state: LabState | undefined;
}

/** Every lab that has left a run folder. */
export function findLabs(runRoot: string = RUN_ROOT): readonly FoundLab[] {
  return readdirSync(runRoot)
    .filter((name) => new RegExp(`^${RUN_FOLDER_PREFIX}[0-9a-f]{8}$`).test(name))
    .map((name) => ({ id: name.slice(RUN_FOLDER_PREFIX.length), state: readState(join(runRoot, name, 'lab.json')) }));
}

/** Of one checkout one lab stays at a time: commands would not know which is meant. Throws LAB_FAILED. */
export function refuseSecondLab(checkout: string): void {
  const standing = findLabs().find(({ state }) => state?.owner === null && state.checkout === checkout);
  if (!standing) return;
  throw new SymbolonError('LAB_FAILED', `the lab ${standing.id} of this checkout is up; remove it first: npx symbolon lab down`, {
    what: standing.id,
  });
}
