import { SymbolonError } from '#core/errors/error';
import { parseSpiffeId, segmentsOf, type SpiffeId, type TrustDomain, trustDomainOf } from '#core/spiffe/id';

/** Paths under `/symbolon/` belong to the system: no identity may be declared there. */
const RESERVED_SEGMENT = 'symbolon';

/** Could a node have this name? 1 to 63 characters of a path segment. */
export function isNodeName(name: string): boolean {
  return /^[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,62}$/.test(name);
}

/** The one place where node IDs are built: `spiffe://<td>/symbolon/node/<name>`. Throws ENTRY_INVALID for a name that is no path segment. */
export function nodeSpiffeId(trustDomain: TrustDomain, name: string): SpiffeId {
  if (!isNodeName(name)) {
    throw new SymbolonError(
      'ENTRY_INVALID',
      `${JSON.stringify(name)} is not a node name: expected 1 to 63 letters, digits, dots, dashes or underscores, not starting with a dot`,
      { field: 'name', value: name },
    );
  }
  return parseSpiffeId(`spiffe://${trustDomain}/${RESERVED_SEGMENT}/node/${name}`);
}

/** The node name of a node ID, or undefined if the ID is none. */
export function nodeNameOf(id: SpiffeId): string | undefined {
  const [system, kind, name, ...rest] = segmentsOf(id);
  return system === RESERVED_SEGMENT && kind === 'node' && name !== undefined && rest.length === 0 ? name : undefined;
}

/** The authority's own ID: `spiffe://<td>/symbolon/authority`. */
export function authoritySpiffeId(trustDomain: TrustDomain): SpiffeId {
  return parseSpiffeId(`spiffe://${trustDomain}/${RESERVED_SEGMENT}/authority`);
}

/** The ID of an administrator's SVID: `spiffe://<td>/symbolon/admin/<name>`; with `read` rights only, `…/symbolon/reader/<name>`. */
export function adminSpiffeId(trustDomain: TrustDomain, name: string, rights: 'write' | 'read'): SpiffeId {
  return parseSpiffeId(`spiffe://${trustDomain}/${RESERVED_SEGMENT}/${rights === 'write' ? 'admin' : 'reader'}/${name}`);
}

/** What an ID under the reserved path may do at its own trust domain's authority, or undefined for every other ID. */
export function adminRightsOf(id: SpiffeId): 'write' | 'read' | undefined {
  const [system, kind, name, ...rest] = segmentsOf(id);
  if (system !== RESERVED_SEGMENT || name === undefined || rest.length > 0) return undefined;
  return kind === 'admin' ? 'write' : kind === 'reader' ? 'read' : undefined;
}

/** True for IDs that identities may not take. */
export function isReservedId(id: SpiffeId): boolean {
  return segmentsOf(id)[0] === RESERVED_SEGMENT;
}

/** True if the ID names a node of the trust domain. */
export function isNodeOf(id: SpiffeId, trustDomain: TrustDomain): boolean {
  return trustDomainOf(id) === trustDomain && nodeNameOf(id) !== undefined;
}
