import type { SpiffeId } from '#core/spiffe/id';
import type { Attestation } from './attestation.ts';

/** So many looks in a row may be incomplete, a second or more: who makes more processes than can be looked at is nobody. */
export const MAX_INCOMPLETE_LOOKS = 20;

const MISSED = 'processes in its namespace end faster than they can be looked at';

/**
 * What to believe of a look of which `looks` in a row, this one too, have missed a process: nothing that the workload was not before. `was`:
 * its identity, or that it was found to be unmanaged; undefined: neither.
 */
export function judgeIncomplete(found: Attestation, was: SpiffeId | 'unmanaged' | undefined, looks: number): Attestation {
  if (looks === 0) return found;
  if (looks >= MAX_INCOMPLETE_LOOKS) return { kind: 'refused', reason: MISSED };
  if (found.kind === 'identity' && found.entry.spiffeId !== was) return { kind: 'pending', reason: MISSED };
  if (found.kind !== 'unmanaged' || was === 'unmanaged') return found;
  return was === undefined ? { kind: 'pending', reason: MISSED } : { kind: 'refused', reason: `no process that was looked at is ${was}` };
}
