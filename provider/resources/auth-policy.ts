import { POLICY_ACTIONS, POLICY_DEFAULTS, POLICY_MODES, POLICY_SIDES, PROTECTIONS, parsePolicyName } from '#core/policy/parse';
import { parseTrustDomain, type TrustDomain } from '#core/spiffe/id';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import type { AuthPolicy, PartySet } from '#proto/gen/symbolon/authority/types';
import { oneOf } from '../attributes/one-of.ts';
import { WORKLOAD_ID } from '../attributes/spiffe-id.ts';
import { TRAFFIC } from '../attributes/traffic.ts';
import { TRUST_DOMAIN } from '../attributes/trust-domain.ts';
import type { Connections } from '../authority/connections.ts';
import type { Report } from '../plugin/diagnostic.ts';
import { attributePath } from '../plugin/path.ts';
import type { Resource } from '../plugin/resource.ts';
import { attribute, type Model } from '../plugin/schema/attribute.ts';
import { isRecord, type Value } from '../plugin/values/value.ts';
import { noneToNull, writtenObject } from './message-values.ts';
import { checkOneAddress } from './one-address.ts';
import { unreachedEnds } from './policy-reach.ts';
import type { StoredKind } from './stored-kind.ts';
import { storedObject } from './stored-object.ts';
import { checkHasAuthority, knownDomain } from './trust-domain-of-plan.ts';

const SUPPORTED = { mode: POLICY_DEFAULTS.mode, protection: POLICY_DEFAULTS.protection };

const parties = {
  spiffe_ids: attribute.texts({ optional: true, element: WORKLOAD_ID, description: 'Workloads with exactly these SPIFFE IDs.' }),
  path_prefixes: attribute.texts({
    optional: true,
    element: WORKLOAD_ID,
    description:
      'Workloads whose ID begins with all the segments of one of these: `spiffe://east.example/shop` names `/shop` and `/shop/web`, not `/shopping`.',
  }),
  trust_domains: attribute.texts({ optional: true, element: TRUST_DOMAIN, description: 'All workloads of these trust domains.' }),
} as const;

const attributes = {
  id: attribute.string({ computed: true, description: "The authority's identifier of the policy." }),
  trust_domain: attribute.string({
    required: true,
    forceNew: true,
    rule: TRUST_DOMAIN,
    description: 'Trust domain whose nodes enforce the policy: at the source as egress, at the destination as ingress.',
  }),
  name: attribute.string({
    required: true,
    // In place, an index that moves up would rename policies that stay, each onto the name of the next.
    forceNew: true,
    rule: { check: parsePolicyName },
    description: 'Name of the policy, unique in the trust domain; decisions and logs name it.',
  }),
  sources: attribute.object({
    required: true,
    attributes: parties,
    description: 'Who connects. A workload belongs to it if any of the sets names it.',
  }),
  destinations: attribute.object({ required: true, attributes: parties, description: 'Who is connected to.' }),
  traffic: attribute.texts({
    required: true,
    minItems: 1,
    element: TRAFFIC,
    description: 'Which traffic, by protocol and port of the destination: `tcp/8443`, `udp/5000-5100`, `icmp`, `protocol/132`, `any`.',
  }),
  side: attribute.string({
    optional: true,
    default: POLICY_DEFAULTS.side,
    rule: oneOf(POLICY_SIDES),
    description:
      "Which end's nodes enforce it: `both`, `egress` (the sources'), `ingress` (the destinations'). A connection must be allowed at both ends, perhaps by two policies of two owners. Default: `both`.",
  }),
  action: attribute.string({
    optional: true,
    default: POLICY_DEFAULTS.action,
    rule: oneOf(POLICY_ACTIONS),
    description: '`allow` or `deny`. A deny wins over every allow. Default: `allow`.',
  }),
  mode: attribute.string({
    optional: true,
    default: POLICY_DEFAULTS.mode,
    rule: oneOf([SUPPORTED.mode], POLICY_MODES),
    description: '`enforce`. Default: `enforce`.',
  }),
  protection: attribute.string({
    optional: true,
    default: POLICY_DEFAULTS.protection,
    rule: oneOf([SUPPORTED.protection], PROTECTIONS),
    description: 'What the traffic is protected with once both workloads are proven: `authenticated`. Default: `authenticated`.',
  }),
} as const;

function partiesToMessage(model: Model<typeof parties>): PartySet {
  return {
    spiffeIds: [...(model.spiffe_ids ?? [])],
    pathPrefixes: [...(model.path_prefixes ?? [])],
    trustDomains: [...(model.trust_domains ?? [])],
    addressPrefixes: [],
  };
}

function partiesFromMessage(message: PartySet | undefined): Model<typeof parties> {
  return {
    spiffe_ids: noneToNull(message?.spiffeIds ?? []),
    path_prefixes: noneToNull(message?.pathPrefixes ?? []),
    trust_domains: noneToNull(message?.trustDomains ?? []),
  };
}

/** A policy for nobody is a mistake; unknown sets may turn out to name somebody. */
function checkNamesSomebody(end: 'sources' | 'destinations', value: unknown, report: Report): void {
  const set = value as Value;
  if (!isRecord(set)) return;
  if (Object.values(set).some((member) => member !== null && !(Array.isArray(member) && member.length === 0))) return;
  const text = `${end}: it names nobody; give it spiffe_ids, path_prefixes or trust_domains.`;
  report.error(`Invalid ${end}`, text, attributePath(end));
}

/** A policy that no node of its trust domain enforces looks like a protection and is none. */
function checkReaches(policy: Parameters<typeof unreachedEnds>[0], trustDomain: TrustDomain, report: Report): void {
  const ends = unreachedEnds(policy, trustDomain);
  const [end] = ends;
  if (end === undefined) return;
  const side = ends.length > 1 ? '' : ` with side = ${JSON.stringify(policy.side)}`;
  const text = `${ends.join(' and ')}: nobody there is of the trust domain ${trustDomain}, so that no node would enforce the policy${side}; correct trust_domain or side, or declare it at the authority of a trust domain that it names.`;
  report.error('Policy without effect', text, attributePath(end));
}

const kind: StoredKind<typeof attributes, AuthPolicy> = {
  noun: 'auth policy',
  trustDomainOf: (model) => parseTrustDomain(model.trust_domain),
  keyOf: ({ name, trust_domain }) => [name, trust_domain],
  nameOf: (message) => message.name,
  toMessage: (model) => ({
    id: model.id,
    name: model.name,
    sources: partiesToMessage(model.sources),
    destinations: partiesToMessage(model.destinations),
    traffic: [...model.traffic],
    side: model.side,
    action: model.action,
    mode: model.mode,
    protection: model.protection,
    ownership: undefined,
  }),
  toModel: (message, trustDomain) => ({
    id: message.id,
    trust_domain: trustDomain,
    name: message.name,
    sources: partiesFromMessage(message.sources),
    destinations: partiesFromMessage(message.destinations),
    traffic: message.traffic,
    side: message.side || POLICY_DEFAULTS.side,
    action: message.action || POLICY_DEFAULTS.action,
    mode: message.mode || POLICY_DEFAULTS.mode,
    protection: message.protection || POLICY_DEFAULTS.protection,
  }),
  list: async (authority, signal) => (await authority.read(ControlService.listAuthPolicies, {}, signal)).policies,
  create: async (authority, policy, signal) => {
    const answer = await authority.write(ControlService.createAuthPolicy, { policy }, signal);
    return writtenObject(answer.policy, answer.revision);
  },
  update: async (authority, policy, expectedGeneration, signal) => {
    const answer = await authority.write(ControlService.updateAuthPolicy, { policy, expectedGeneration }, signal);
    return writtenObject(answer.policy, answer.revision);
  },
  delete: (authority, id, expectedGeneration, signal) =>
    authority.write(ControlService.deleteAuthPolicy, { id, expectedGeneration }, signal),
};

/** Who may talk to whom about what. */
export const authPolicyResource: Resource<typeof attributes, Connections> = {
  typeName: 'symbolon_auth_policy',
  description:
    'Who may open connections to whom, once both have proven who they are. Without an allow nothing passes between workloads with identities; removing one cuts established connections, too. Make several with `for_each` keyed by the name, not with `count`: an index that moves deletes and makes again every policy behind it, and cuts their connections.',
  attributes,
  importExamples: ['east.example/web-to-payments'],
  check: ({ trust_domain, sources, destinations, side }, report) => {
    checkNamesSomebody('sources', sources, report);
    checkNamesSomebody('destinations', destinations, report);
    const domain = knownDomain(trust_domain);
    if (domain !== undefined && !report.hasErrors()) checkReaches({ sources, destinations, side }, domain, report);
  },
  checkPlan: (planned, connections, report, begin) => {
    checkHasAuthority(knownDomain(planned.trust_domain), attributePath('trust_domain'), connections, report);
    checkOneAddress({ noun: kind.noun, key: kind.keyOf(planned) }, attributePath('name'), begin, connections, report);
  },
  ...storedObject(kind),
};
