import type { IpAddress } from '#core/network/address';
import { sameAddress } from '#core/network/address';
import type { NodeDirectory } from '#core/registration/directory';
import type { Enforcement, RegistrationEntry } from '#core/registration/entry';
import { selectorsMatch } from '#core/registration/selector';
import type { SpiffeId } from '#core/spiffe/id';
import type { Attestation } from './attestation.ts';
import type { AttestedProcess } from './process.ts';

/** What was found behind one workload interface. */
export interface FoundWorkload {
  /** Every process of the workload's network namespace. */
  readonly processes: readonly Pick<AttestedProcess, 'pid' | 'selectors'>[];
  /** Addresses that the node's own routes send to the interface. */
  readonly addresses: readonly IpAddress[];
}

/** What the authority says about this node. */
export interface AttestationView {
  readonly entries: readonly RegistrationEntry[];
  readonly directory: NodeDirectory;
}

const refused = (reason: string): Attestation => ({ kind: 'refused', reason });

/** Where several entries give the same ID, the one that demands most; then the one with the lowest id, so that the answer does not wander. */
const STRICTNESS: Readonly<Record<Enforcement | 'unsaid', number>> = { all: 0, unsaid: 1, inbound: 2, off: 3 };
function byStrictness(a: RegistrationEntry, b: RegistrationEntry): number {
  const difference = STRICTNESS[a.enforcement ?? 'unsaid'] - STRICTNESS[b.enforcement ?? 'unsaid'];
  return difference !== 0 ? difference : a.id < b.id ? -1 : 1;
}

/** The addresses that the workload may have: those that the entry names (all, if it names none), inside this node's prefixes. */
function addressesOf(entry: RegistrationEntry, found: FoundWorkload, view: AttestationView, nodeId: SpiffeId): Attestation {
  if (found.addresses.length === 0) return { kind: 'pending' };
  const own = found.addresses.filter((address) => view.directory.nodeOf(address)?.nodeId === nodeId);
  const first = found.addresses.map((address) => address.text).join(', ');
  if (own.length === 0)
    return refused(`its addresses (${first}) lie outside the node's prefixes; change the route or the node's address_prefixes`);
  const addresses = entry.addresses.length === 0 ? own : own.filter((a) => entry.addresses.some((wanted) => sameAddress(a, wanted)));
  if (addresses.length === 0) return refused(`its addresses (${first}) are none of those that the identity ${entry.spiffeId} names`);
  return { kind: 'identity', entry, addresses };
}

/**
 * Who is behind an interface: the one SPIFFE ID that every process of the network namespace matches, by an entry that matches them all. A
 * process without identity beside one that has one, or two identities, refuse the namespace: processes in it can send as each other. Nobody
 * matches: unmanaged. No process, no view or no address yet: pending.
 */
export function matchEntries(found: FoundWorkload, view: AttestationView | undefined, nodeId: SpiffeId): Attestation {
  if (!view || found.processes.length === 0) return { kind: 'pending' };
  const matched = found.processes.map(({ pid, selectors }) => ({
    pid,
    entries: view.entries.filter((e) => selectorsMatch(e.selectors, selectors)),
  }));
  const ids = [...new Set(matched.flatMap(({ entries }) => entries.map((entry) => entry.spiffeId)))].sort();
  const [id, other] = ids;
  if (id === undefined) return { kind: 'unmanaged' };
  if (other !== undefined) return refused(`its processes match ${ids.join(' and ')}; a network namespace can have one identity`);
  const stranger = matched.find(({ entries }) => entries.length === 0);
  if (stranger) return refused(`process ${stranger.pid} matches no identity, beside others that are ${id}`);
  const [entry] = view.entries.filter((e) => matched.every(({ entries }) => entries.includes(e))).sort(byStrictness);
  if (!entry) return refused(`no single entry of ${id} matches all of its processes`);
  return addressesOf(entry, found, view, nodeId);
}
