import { SymbolonError } from '#core/errors/error';
import { parseIpAddress } from '#core/network/address';
import { checkEntry, type Enforcement, type RegistrationEntry } from '#core/registration/entry';
import { parseSelector } from '#core/registration/selector';
import { parseSpiffeId, parseTrustDomain, type SpiffeId, type TrustDomain } from '#core/spiffe/id';
import type { Enforcement as WireEnforcement, Identity } from '#proto/gen/symbolon/authority/types';
import { enforcementFromMessage } from '#wire/enforcement';

/** Enforcement from the wire; undefined = not said. Throws ENTRY_INVALID for a value of a newer protocol: guessing could open a gate. */
export function parseEnforcement(value: WireEnforcement): Enforcement | undefined {
  return enforcementFromMessage(value, (why) => {
    throw new SymbolonError('ENTRY_INVALID', `${why}; this agent is older than its authority, upgrade it`, {
      field: 'enforcement',
      value: String(value),
    });
  });
}

/** An identity from the wire, which must be one of this node's. Throws ENTRY_INVALID, or the parser's own error. */
export function parseIdentity(identity: Identity, trustDomain: TrustDomain, nodeId: SpiffeId): RegistrationEntry {
  const enforcement = parseEnforcement(identity.enforcement);
  const entry: RegistrationEntry = {
    id: identity.id,
    spiffeId: parseSpiffeId(identity.spiffeId),
    parentId: parseSpiffeId(identity.parentId),
    selectors: identity.selectors.map(parseSelector),
    addresses: identity.addresses.map(parseIpAddress),
    federatesWith: identity.federatesWith.map(parseTrustDomain),
    x509SvidTtlSeconds: identity.x509SvidTtlSeconds,
    dnsNames: identity.dnsNames,
    hint: identity.hint,
    revision: identity.ownership?.generation ?? 0n,
    ...(enforcement !== undefined && { enforcement }),
  };
  checkEntry(entry, trustDomain);
  if (entry.id === '') throw new SymbolonError('ENTRY_INVALID', `the identity ${entry.spiffeId} has no id`, { field: 'id', value: '' });
  if (entry.parentId !== nodeId) {
    throw new SymbolonError('ENTRY_INVALID', `the identity ${entry.spiffeId} belongs to ${entry.parentId}, not to this node, ${nodeId}`, {
      field: 'parent_id',
      value: entry.parentId,
    });
  }
  return entry;
}
