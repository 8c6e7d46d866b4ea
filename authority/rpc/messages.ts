import { SymbolonError } from '#core/errors/error';
import type { Enforcement } from '#core/registration/entry';
import { nodeSpiffeId } from '#core/registration/node-id';
import type { TrustDomain } from '#core/spiffe/id';
import type {
  AuthPolicy,
  Enforcement as EnforcementMessage,
  Identity,
  Node,
  Ownership as OwnershipMessage,
  PartySet,
  TrustDomainSettings,
} from '#proto/gen/symbolon/authority/types';
import { enforcementFromMessage, enforcementToMessage } from '#wire/enforcement';
import type { IdentityBody } from '../registry/identity.ts';
import type { NodeBody } from '../registry/node.ts';
import type { Declared, Ownership } from '../registry/object.ts';
import type { PartySetBody, PolicyBody } from '../registry/policy.ts';
import type { Settings, SettingsBody } from '../store/settings.ts';

// Between the messages of symbolon.authority.v1 and what the registry holds. Nothing is checked here.

function enforcementFrom(value: EnforcementMessage): { readonly enforcement?: Enforcement } {
  const enforcement = enforcementFromMessage(value, (why) => {
    throw new SymbolonError('REQUEST_INVALID', `${why}; expected off, inbound or all`, { field: 'enforcement', value: String(value) });
  });
  return enforcement === undefined ? {} : { enforcement };
}

function ownershipMessage(ownership: Ownership): OwnershipMessage {
  return { owner: ownership.owner, generation: ownership.generation };
}

/** A field that must be there. Throws REQUEST_INVALID. */
export function required<T>(value: T | undefined, field: string): T {
  if (value === undefined) throw new SymbolonError('REQUEST_INVALID', `the request has no ${field}`, { field, value: '' });
  return value;
}

export function identityFrom(message: Identity): IdentityBody {
  return {
    spiffeId: message.spiffeId,
    parentId: message.parentId,
    selectors: message.selectors,
    addresses: message.addresses,
    federatesWith: message.federatesWith,
    x509SvidTtlSeconds: message.x509SvidTtlSeconds,
    dnsNames: message.dnsNames,
    hint: message.hint,
    ...enforcementFrom(message.enforcement),
  };
}

export function identityMessage({ id, body, ownership }: Declared<IdentityBody>): Identity {
  return {
    id,
    spiffeId: body.spiffeId,
    parentId: body.parentId,
    selectors: [...body.selectors],
    addresses: [...body.addresses],
    federatesWith: [...body.federatesWith],
    x509SvidTtlSeconds: body.x509SvidTtlSeconds,
    dnsNames: [...body.dnsNames],
    hint: body.hint,
    enforcement: enforcementToMessage(body.enforcement),
    ownership: ownershipMessage(ownership),
  };
}

export function nodeFrom(message: Node): NodeBody {
  return {
    name: message.name,
    addressPrefixes: message.addressPrefixes,
    endpoints: message.endpoints,
    attestationMethods: message.attestationMethods,
  };
}

export function nodeMessage({ id, body, ownership }: Declared<NodeBody>, trustDomain: TrustDomain): Node {
  return {
    id,
    name: body.name,
    spiffeId: nodeSpiffeId(trustDomain, body.name),
    addressPrefixes: [...body.addressPrefixes],
    endpoints: [...body.endpoints],
    attestationMethods: [...body.attestationMethods],
    ownership: ownershipMessage(ownership),
  };
}

const NOBODY: PartySetBody = { spiffeIds: [], pathPrefixes: [], trustDomains: [], addressPrefixes: [] };

function partiesMessage(body: PartySetBody): PartySet {
  return {
    spiffeIds: [...body.spiffeIds],
    pathPrefixes: [...body.pathPrefixes],
    trustDomains: [...body.trustDomains],
    addressPrefixes: [...body.addressPrefixes],
  };
}

export function policyFrom(message: AuthPolicy): PolicyBody {
  return {
    name: message.name,
    sources: message.sources ?? NOBODY,
    destinations: message.destinations ?? NOBODY,
    traffic: message.traffic,
    side: message.side,
    action: message.action,
    mode: message.mode,
    protection: message.protection,
  };
}

export function policyMessage({ id, body, ownership }: Declared<PolicyBody>): AuthPolicy {
  return {
    id,
    name: body.name,
    sources: partiesMessage(body.sources),
    destinations: partiesMessage(body.destinations),
    traffic: [...body.traffic],
    side: body.side,
    action: body.action,
    mode: body.mode,
    protection: body.protection,
    ownership: ownershipMessage(ownership),
  };
}

export function settingsFrom(message: TrustDomainSettings): SettingsBody {
  return {
    x509SvidTtlSeconds: message.x509SvidTtlSeconds,
    addressPrefixes: message.addressPrefixes,
    ...enforcementFrom(message.enforcement),
  };
}

export function settingsMessage({ body, ownership, adopted }: Settings, trustDomain: TrustDomain): TrustDomainSettings {
  return {
    trustDomain,
    x509SvidTtlSeconds: body.x509SvidTtlSeconds,
    enforcement: enforcementToMessage(body.enforcement),
    addressPrefixes: [...body.addressPrefixes],
    ownership: ownershipMessage(ownership),
    adopted,
  };
}
