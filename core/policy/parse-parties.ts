import { describeError, SymbolonError } from '#core/errors/error';
import { parseIpPrefix } from '#core/network/prefix';
import { isReservedId } from '#core/registration/node-id';
import { parseSpiffeId, parseTrustDomain, pathOf, type SpiffeId } from '#core/spiffe/id';
import type { PartySet } from './model.ts';

/** A set of parties as people write it. */
export interface PartySetInput {
  readonly spiffeIds?: readonly string[];
  readonly pathPrefixes?: readonly string[];
  readonly trustDomains?: readonly string[];
  readonly addressPrefixes?: readonly string[];
}

/** Runs a parser; what it throws becomes POLICY_INVALID with the attribute's path. */
export function atPath<T>(path: string, value: string, parse: (text: string) => T): T {
  try {
    return parse(value);
  } catch (error) {
    throw new SymbolonError('POLICY_INVALID', `${path}: ${describeError(error)}`, { path, value }, error);
  }
}

/** Throws POLICY_INVALID. */
export function invalid(path: string, value: string, why: string): never {
  throw new SymbolonError('POLICY_INVALID', `${path}: ${JSON.stringify(value)} ${why}`, { path, value });
}

function parseWorkloadId(path: string, text: string, hint: string): SpiffeId {
  const id = atPath(path, text, parseSpiffeId);
  if (pathOf(id) === '') return invalid(path, text, `has no path; ${hint}`);
  if (isReservedId(id)) return invalid(path, text, 'lies under /symbolon/, which is reserved for the system; name a workload');
  return id;
}

/** Parses the parties of one end; `path` is its attribute, `sources` or `destinations`. Throws POLICY_INVALID with the member's path. */
export function parsePartySet(path: string, input: PartySetInput): PartySet {
  const each = <T>(attribute: string, values: readonly string[] | undefined, parse: (path: string, text: string) => T): readonly T[] =>
    (values ?? []).map((text, i) => parse(`${path}.${attribute}[${i}]`, text));
  const parties: PartySet = {
    spiffeIds: each('spiffe_ids', input.spiffeIds, (at, text) => parseWorkloadId(at, text, 'name a whole trust domain in trust_domains')),
    pathPrefixes: each('path_prefixes', input.pathPrefixes, (at, text) =>
      parseWorkloadId(at, text, 'name a whole trust domain in trust_domains'),
    ),
    trustDomains: each('trust_domains', input.trustDomains, (at, text) => atPath(at, text, parseTrustDomain)),
    addressPrefixes: each('address_prefixes', input.addressPrefixes, (at, text) => atPath(at, text, parseIpPrefix)),
  };
  if (Object.values(parties).every((members) => members.length === 0)) {
    invalid(path, '', 'names nobody; give it spiffe_ids, path_prefixes or trust_domains');
  }
  return parties;
}
