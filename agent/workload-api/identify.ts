import { SymbolonError } from '#core/errors/error';
import type { RegistrationEntry } from '#core/registration/entry';
import { selectorsMatch } from '#core/registration/selector';
import { type HeldProcess, readProcess } from '../attestation/read-process.ts';
import type { WorkloadApiSource } from './source.ts';

function denied(why: string): never {
  throw new SymbolonError('PERMISSION_DENIED', `no identity for this process: ${why}`, { what: 'workload identity' });
}

/**
 * The entry of a caller: that of its network namespace, whose selectors the caller bears itself. Read anew for every answer: a process may
 * have changed its user, cgroup or namespace. Throws PERMISSION_DENIED.
 */
export function identifyCaller(caller: HeldProcess, source: Pick<WorkloadApiSource, 'entryOfNamespace'>): RegistrationEntry {
  const process = readProcess(caller);
  if (!process) return denied('it has ended');
  const entry = source.entryOfNamespace(process.networkNamespace);
  if (!entry) return denied('its network namespace is not attested as a workload; `symbolon status --run /run/symbolon` says why');
  if (!selectorsMatch(entry.selectors, process.selectors)) return denied('it does not bear the selectors of the workload in its namespace');
  return entry;
}
