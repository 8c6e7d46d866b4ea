import { nodeSpiffeId } from '#core/registration/node-id';
import { parseTrustDomain } from '#core/spiffe/id';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import type { Node } from '#proto/gen/symbolon/authority/types';
import { ADDRESS_PREFIX, ENDPOINT } from '../attributes/address.ts';
import { NODE_NAME } from '../attributes/node-name.ts';
import { TRUST_DOMAIN } from '../attributes/trust-domain.ts';
import type { Connections } from '../authority/connections.ts';
import { attributePath } from '../plugin/path.ts';
import type { Resource } from '../plugin/resource.ts';
import { attribute } from '../plugin/schema/attribute.ts';
import { UNKNOWN } from '../plugin/values/unknown.ts';
import { isRecord, type ValueRecord } from '../plugin/values/value.ts';
import { emptyToNull, writtenObject } from './message-values.ts';
import { checkOneAddress } from './one-address.ts';
import type { StoredKind } from './stored-kind.ts';
import { storedObject } from './stored-object.ts';
import { checkHasAuthority, knownDomain } from './trust-domain-of-plan.ts';

const JOIN_TOKEN = 'join_token';

const attributes = {
  id: attribute.string({ computed: true, description: "The authority's identifier of the node." }),
  trust_domain: attribute.string({
    required: true,
    forceNew: true,
    rule: TRUST_DOMAIN,
    description: 'Trust domain that the node belongs to.',
  }),
  name: attribute.string({
    required: true,
    forceNew: true,
    rule: NODE_NAME,
    description: 'Name of the node, unique in the trust domain: 1 to 63 letters, digits, dots, dashes or underscores.',
  }),
  address_prefixes: attribute.texts({
    required: true,
    minItems: 1,
    element: ADDRESS_PREFIX,
    description: 'Prefixes whose addresses the node may speak for: those of its workloads. No other node may have one that overlaps.',
  }),
  endpoint: attribute.string({
    optional: true,
    rule: ENDPOINT,
    description:
      "Where other nodes' agents reach this node's: `192.0.2.7:7420` or `[2001:db8::7]:7420`. Without it its workloads and those of other nodes cannot authenticate to each other.",
  }),
  attestation: attribute.object({
    optional: true,
    default: { join_token: true },
    attributes: { join_token: attribute.bool({ required: true, description: 'The node may join with a one-time token.' }) },
    description: 'How the node may prove itself when it joins. Default: `{ join_token = true }`.',
  }),
  spiffe_id: attribute.string({
    computed: true,
    description:
      "The node's SPIFFE ID, `spiffe://<trust domain>/symbolon/node/<name>`. Known at plan; the `parent_id` of identities on the node.",
  }),
} as const;

const kind: StoredKind<typeof attributes, Node> = {
  noun: 'node',
  trustDomainOf: (model) => parseTrustDomain(model.trust_domain),
  keyOf: ({ name, trust_domain }) => [name, trust_domain],
  nameOf: (message) => message.name,
  toMessage: (model) => ({
    id: model.id,
    name: model.name,
    spiffeId: nodeSpiffeId(parseTrustDomain(model.trust_domain), model.name),
    addressPrefixes: [...model.address_prefixes],
    endpoints: model.endpoint ? [model.endpoint] : [],
    attestationMethods: [JOIN_TOKEN],
    ownership: undefined,
  }),
  toModel: (message, trustDomain) => ({
    id: message.id,
    trust_domain: trustDomain,
    name: message.name,
    address_prefixes: message.addressPrefixes,
    endpoint: emptyToNull(message.endpoints[0] ?? ''),
    attestation: { join_token: message.attestationMethods.length === 0 || message.attestationMethods.includes(JOIN_TOKEN) },
    spiffe_id: nodeSpiffeId(trustDomain, message.name),
  }),
  list: async (authority, signal) => (await authority.read(ControlService.listNodes, {}, signal)).nodes,
  create: async (authority, node, signal) => {
    const answer = await authority.write(ControlService.createNode, { node }, signal);
    return writtenObject(answer.node, answer.revision);
  },
  update: async (authority, node, expectedGeneration, signal) => {
    const answer = await authority.write(ControlService.updateNode, { node, expectedGeneration }, signal);
    return writtenObject(answer.node, answer.revision);
  },
  delete: (authority, id, expectedGeneration, signal) => authority.write(ControlService.deleteNode, { id, expectedGeneration }, signal),
};

/** A node: what it may speak for, and where its agent is reached. */
export const nodeResource: Resource<typeof attributes, Connections> = {
  typeName: 'symbolon_node',
  description:
    'A machine whose agent authenticates the workloads on it. The agent joins by itself, with a token that is minted at the authority; destroying the node evicts it.',
  attributes,
  importExamples: ['east.example/east-1'],
  check: ({ attestation }, report) => {
    if (!isRecord(attestation) || (attestation as ValueRecord)['join_token'] !== false) return;
    const text =
      'attestation.join_token: false leaves the node no way to join; a join token is the only one so far. Leave attestation out.';
    report.error('Invalid attestation', text, attributePath('attestation'));
  },
  derive: ({ trust_domain, name }) => ({
    spiffe_id: typeof trust_domain === 'string' && typeof name === 'string' ? nodeSpiffeId(parseTrustDomain(trust_domain), name) : UNKNOWN,
  }),
  checkPlan: (planned, connections, report, begin) => {
    checkHasAuthority(knownDomain(planned.trust_domain), attributePath('trust_domain'), connections, report);
    checkOneAddress({ noun: kind.noun, key: kind.keyOf(planned) }, attributePath('name'), begin, connections, report);
  },
  ...storedObject(kind),
};
