import { isReservedId } from '#core/registration/node-id';
import { pathOf, type SpiffeId, trustDomainOf } from '#core/spiffe/id';
import type { Party, PartySet } from './model.ts';

/**
 * One way of naming workloads, as a key of an index: an exact ID, all IDs below a path, a whole trust domain. A workload is in a set exactly when
 * one of its keys is a key of the set. Path prefixes are cut between segments, so that `/pay` never names `/payments`.
 */
export type MemberKey = string & { readonly __brand: 'MemberKey' };

const idKey = (id: SpiffeId): MemberKey => `id ${id}` as MemberKey;
const belowKey = (prefix: string): MemberKey => `below ${prefix}` as MemberKey;
const domainKey = (trustDomain: string): MemberKey => `domain ${trustDomain}` as MemberKey;

/** The keys that name everything below `id`, itself included: those of its trust domain and of each of its path's prefixes, cut at the slashes. */
function keysAbove(id: SpiffeId): readonly MemberKey[] {
  const keys = [domainKey(trustDomainOf(id))];
  const path = id.length - pathOf(id).length;
  for (let slash = path; slash >= 0 && slash < id.length; ) {
    const next = id.indexOf('/', slash + 1);
    keys.push(belowKey(next < 0 ? id : id.slice(0, next)));
    slash = next;
  }
  return keys;
}

/** Every key under which a policy could name the party. A peer without identity, and the system's own IDs, have none. */
export function keysOfParty(party: Party): readonly MemberKey[] {
  if (party.kind === 'address' || isReservedId(party.id)) return [];
  return [idKey(party.id), ...keysAbove(party.id)];
}

/** The keys of a set's members. */
export function keysOfSet(set: PartySet): readonly MemberKey[] {
  return [...set.spiffeIds.map(idKey), ...set.pathPrefixes.map(belowKey), ...set.trustDomains.map(domainKey)];
}

/**
 * For each member of a set, every key that covers the whole member: a set with one of those keys contains it. Exact, since no finite number of IDs or
 * prefixes fills a larger prefix.
 */
export function coversOfMembers(set: PartySet): readonly (readonly MemberKey[])[] {
  return [
    ...set.spiffeIds.map((id) => [idKey(id), ...keysAbove(id)]),
    ...set.pathPrefixes.map(keysAbove),
    ...set.trustDomains.map((trustDomain) => [domainKey(trustDomain)]),
  ];
}
