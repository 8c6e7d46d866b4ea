import { parseSpiffeId, parseTrustDomain, trustDomainOf } from '#core/spiffe/id';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import type { Identity } from '#proto/gen/symbolon/authority/types';
import { ADDRESS } from '../attributes/address.ts';
import { DNS_NAME } from '../attributes/dns-name.ts';
import { SECONDS } from '../attributes/duration.ts';
import { ENFORCEMENT, enforcementFromMessage, enforcementToMessage } from '../attributes/enforcement.ts';
import { secondsFromMessage, secondsToMessage } from '../attributes/seconds.ts';
import { SELECTOR } from '../attributes/selector.ts';
import { knownTrustDomain, NODE_ID, WORKLOAD_ID } from '../attributes/spiffe-id.ts';
import { TRUST_DOMAIN } from '../attributes/trust-domain.ts';
import type { Connections } from '../authority/connections.ts';
import { attributePath } from '../plugin/path.ts';
import type { Resource } from '../plugin/resource.ts';
import { attribute } from '../plugin/schema/attribute.ts';
import { emptyToNull, noneToNull, writtenObject } from './message-values.ts';
import { checkOneAddress } from './one-address.ts';
import type { StoredKind } from './stored-kind.ts';
import { storedObject } from './stored-object.ts';
import { warnOfUndeclaredNode } from './undeclared-node.ts';
import { checkHasAuthority } from './trust-domain-of-plan.ts';

const attributes = {
  id: attribute.string({ computed: true, description: "The registration entry's identifier." }),
  spiffe_id: attribute.string({
    required: true,
    rule: WORKLOAD_ID,
    // Another ID is another identity; in place, an index that moves up would rename those of live workloads.
    forceNew: true,
    description: 'SPIFFE ID of the workload, `spiffe://<trust domain>/<path>`; paths under `/symbolon/` are reserved.',
  }),
  parent_id: attribute.string({
    required: true,
    forceNew: true,
    rule: NODE_ID,
    description: 'SPIFFE ID of the node that the workload runs on, for instance `symbolon_node.east_1.spiffe_id`.',
  }),
  selectors: attribute.texts({
    required: true,
    minItems: 1,
    element: SELECTOR,
    description:
      'What the agent must find on a process to give it this identity, all of them: `unix:uid:1001`, `unix:gid:1001`, `cgroup:path:/apps/web`.',
  }),
  addresses: attribute.texts({
    optional: true,
    element: ADDRESS,
    description: "The workload's own addresses. Default: whatever the node finds, inside its prefixes.",
  }),
  federates_with: attribute.texts({
    optional: true,
    element: TRUST_DOMAIN,
    description: 'Foreign trust domains whose bundles the workload gets. Not supported yet: leave it out.',
  }),
  x509_svid_ttl: attribute.string({
    optional: true,
    rule: SECONDS,
    description: 'Lifetime of its X509-SVIDs, like `"1h"`. Default: that of the trust domain.',
  }),
  dns_names: attribute.texts({ optional: true, element: DNS_NAME, description: 'DNS names in its X509-SVIDs.' }),
  hint: attribute.string({
    optional: true,
    description: 'Tells a workload with several identities which one this is (SPIFFE Workload API).',
  }),
  enforcement: attribute.string({
    optional: true,
    rule: ENFORCEMENT,
    description:
      'What must be proven for the workload: `all`; `inbound` = what reaches it, while its own traffic to addresses of no node is free; `off` = nothing. Default: that of the trust domain.',
  }),
} as const;

const kind: StoredKind<typeof attributes, Identity> = {
  noun: 'identity',
  trustDomainOf: (model) => trustDomainOf(parseSpiffeId(model.spiffe_id)),
  keyOf: ({ spiffe_id, parent_id, selectors }) => [spiffe_id, parent_id, selectors],
  nameOf: (message) => message.spiffeId,
  whereabouts: ({ parentId, selectors }) => `on ${parentId}, ${selectors.join(' ')}`,
  toMessage: (model) => ({
    id: model.id,
    spiffeId: model.spiffe_id,
    parentId: model.parent_id,
    selectors: [...model.selectors],
    addresses: [...(model.addresses ?? [])],
    federatesWith: [...(model.federates_with ?? [])],
    x509SvidTtlSeconds: secondsToMessage(model.x509_svid_ttl),
    dnsNames: [...(model.dns_names ?? [])],
    hint: model.hint ?? '',
    enforcement: enforcementToMessage(model.enforcement),
    ownership: undefined,
  }),
  toModel: (message) => ({
    id: message.id,
    spiffe_id: message.spiffeId,
    parent_id: message.parentId,
    selectors: message.selectors,
    addresses: noneToNull(message.addresses),
    federates_with: noneToNull(message.federatesWith),
    x509_svid_ttl: secondsFromMessage(message.x509SvidTtlSeconds),
    dns_names: noneToNull(message.dnsNames),
    hint: emptyToNull(message.hint),
    enforcement: enforcementFromMessage(message.enforcement),
  }),
  list: async (authority, signal) => (await authority.read(ControlService.listIdentities, {}, signal)).identities,
  create: async (authority, identity, signal) => {
    const answer = await authority.write(ControlService.createIdentity, { identity }, signal);
    return writtenObject(answer.identity, answer.revision);
  },
  update: async (authority, identity, expectedGeneration, signal) => {
    const answer = await authority.write(ControlService.updateIdentity, { identity, expectedGeneration }, signal);
    return writtenObject(answer.identity, answer.revision);
  },
  delete: (authority, id, expectedGeneration, signal) => authority.write(ControlService.deleteIdentity, { id, expectedGeneration }, signal),
};

const behaviour = storedObject(kind);

/** A workload's identity: a SPIFFE registration entry. */
export const identityResource: Resource<typeof attributes, Connections> = {
  typeName: 'symbolon_identity',
  description:
    'The identity of a workload: which SPIFFE ID a process gets that runs on a node and bears all the selectors. Traffic of a workload with an identity passes only where auth policies allow it. Make several with `for_each` keyed by the path, not with `count`: an index that moves deletes and makes again every identity behind it, and cuts their connections.',
  attributes,
  importExamples: ['spiffe://east.example/payments', 'east.example/8f9d3c52-1c0b-4a55-9d0e-0c2a4f3f8a11'],
  check: ({ spiffe_id, parent_id, federates_with }, report) => {
    const own = knownTrustDomain(spiffe_id);
    const parents = knownTrustDomain(parent_id);
    if (own === undefined) return;
    if (parents !== undefined && parents !== own) {
      const text = `parent_id: its trust domain is ${parents}, while the identity's is ${own}; a node vouches for workloads of its own trust domain only.`;
      report.error('Invalid parent_id', text, attributePath('parent_id'));
    }
    if (Array.isArray(federates_with) && federates_with.some((td) => td === parseTrustDomain(own))) {
      const text = `federates_with: ${own} is the identity's own trust domain, whose bundle it always gets; leave it out.`;
      report.error('Invalid federates_with', text, attributePath('federates_with'));
    } else if (Array.isArray(federates_with) && federates_with.length > 0) {
      const text = 'federates_with: it is not supported yet; leave it out.';
      report.error('Invalid federates_with', text, attributePath('federates_with'));
    }
  },
  checkPlan: (planned, connections, report, begin) => {
    checkHasAuthority(knownTrustDomain(planned.spiffe_id), attributePath('spiffe_id'), connections, report);
    checkOneAddress({ noun: kind.noun, key: kind.keyOf(planned) }, attributePath('spiffe_id'), begin, connections, report);
  },
  ...behaviour,
  async create(planned, operation) {
    const stored = await behaviour.create(planned, operation);
    await warnOfUndeclaredNode(planned.parent_id, operation);
    return stored;
  },
};
