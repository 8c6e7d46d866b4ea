import { SymbolonError } from '#core/errors/error';
import { parseIpPrefix } from '#core/network/prefix';
import type { AuthPolicy } from '#core/policy/model';
import { parseAuthPolicy } from '#core/policy/parse';
import { buildDirectory } from '#core/registration/directory';
import type { BundleSet, X509Bundle } from '#core/spiffe/bundle';
import { parseTrustDomain, type SpiffeId, type TrustDomain } from '#core/spiffe/id';
import type { SyncState, X509Bundle as WireBundle } from '#proto/gen/symbolon/authority/sync';
import type { PartySet as WirePartySet, AuthPolicy as WirePolicy } from '#proto/gen/symbolon/authority/types';
import type { NodeSettings, NodeView } from './node-view.ts';
import { parseDirectoryNode } from './parse-directory-node.ts';
import { parseEnforcement, parseIdentity } from './parse-identity.ts';

function invalid(field: string, why: string): never {
  throw new SymbolonError('NODE_VIEW_INVALID', `the authority's state ${why}`, { field });
}

const NOBODY: WirePartySet = { spiffeIds: [], pathPrefixes: [], trustDomains: [], addressPrefixes: [] };

function parsePolicy(policy: WirePolicy, trustDomain: TrustDomain): AuthPolicy {
  return parseAuthPolicy({
    id: policy.id,
    trustDomain,
    name: policy.name,
    sources: policy.sources ?? NOBODY,
    destinations: policy.destinations ?? NOBODY,
    traffic: policy.traffic,
    side: policy.side,
    action: policy.action,
    mode: policy.mode,
    protection: policy.protection,
  });
}

function parseSettings(state: SyncState, trustDomain: TrustDomain): NodeSettings {
  const { settings } = state;
  if (!settings) return invalid('settings', 'has no settings of the trust domain');
  if (parseTrustDomain(settings.trustDomain) !== trustDomain) {
    invalid('settings.trust_domain', `is of the trust domain ${settings.trustDomain}; this node belongs to ${trustDomain}`);
  }
  const enforcement = parseEnforcement(settings.enforcement);
  return {
    trustDomain,
    addressPrefixes: settings.addressPrefixes.map(parseIpPrefix),
    ...(enforcement !== undefined && { enforcement }),
  };
}

function sameAuthorities(known: X509Bundle, wire: WireBundle): boolean {
  const same = known.sequence === wire.sequence && known.authorities.length === wire.x509Authorities.length;
  return same && known.authorities.every((a, i) => Buffer.from(a.der).equals(wire.x509Authorities[i] ?? Buffer.alloc(0)));
}

/** A bundle that has not changed stays the same object: what was verified under it is remembered by that object. */
function parseBundle(wire: WireBundle, previous: BundleSet | undefined): X509Bundle {
  const trustDomain = parseTrustDomain(wire.trustDomain);
  const known = previous?.get(trustDomain);
  if (known && sameAuthorities(known, wire) && (known.refreshHintSeconds ?? 0) === wire.refreshHintSeconds) return known;
  return {
    trustDomain,
    authorities: wire.x509Authorities.map((der) => ({ der: Uint8Array.from(der) })),
    sequence: wire.sequence,
    ...(wire.refreshHintSeconds > 0 && { refreshHintSeconds: wire.refreshHintSeconds }),
  };
}

/** The bundles of a state alone: what a node needs to check its own stored credential. Throws NODE_VIEW_INVALID. */
export function parseBundles(state: SyncState, trustDomain: TrustDomain, previous?: BundleSet): BundleSet {
  const bundles = new Map<TrustDomain, X509Bundle>();
  for (const wire of state.bundles) {
    const bundle = parseBundle(wire, previous);
    if (bundles.has(bundle.trustDomain)) invalid('bundles', `has two bundles of ${bundle.trustDomain}`);
    bundles.set(bundle.trustDomain, bundle);
  }
  if ((bundles.get(trustDomain)?.authorities.length ?? 0) === 0)
    invalid('bundles', `has no authority of its own trust domain, ${trustDomain}`);
  return bundles;
}

/**
 * The view of a state that the authority sent: whole or not at all, since a part that is left out could be the one that denies.
 * Throws NODE_VIEW_INVALID, or the error of the part that is wrong.
 */
export function parseSyncState(state: SyncState, trustDomain: TrustDomain, nodeId: SpiffeId, previous?: NodeView): NodeView {
  const entries = state.identities.map((identity) => parseIdentity(identity, trustDomain, nodeId));
  if (new Set(entries.map((entry) => entry.id)).size !== entries.length) invalid('identities', 'has two identities of one id');
  return {
    revision: state.revision,
    settings: parseSettings(state, trustDomain),
    entries,
    policies: state.policies.map((policy) => parsePolicy(policy, trustDomain)),
    directory: buildDirectory(state.nodes.map((node) => parseDirectoryNode(node, trustDomain))),
    bundles: parseBundles(state, trustDomain, previous?.bundles),
  };
}
