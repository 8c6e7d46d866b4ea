import { SymbolonError } from '#core/errors/error';
import { nodeSpiffeId } from '#core/registration/node-id';
import type { Handlers } from '#daemon/grpc/service';
import { VERSION } from '#daemon/version';
import type { AgentStatus, ControlService } from '#proto/gen/symbolon/authority/control';
import type { Ownership as OwnershipMessage } from '#proto/gen/symbolon/authority/types';
import { createObject, lookUp, removeObject, updateObject, type Wish } from '../registry/mutate.ts';
import type { NodeBody } from '../registry/node.ts';
import type { Declared, ObjectRules } from '../registry/object.ts';
import { declareSettings, resetSettings } from '../registry/settings.ts';
import { type AgentRecord, listAgents } from '../store/agents.ts';
import { listObjects } from '../store/objects.ts';
import { currentRevision } from '../store/revision.ts';
import { readSettings } from '../store/settings.ts';
import { mutate, nowSeconds, type ServiceContext } from './context.ts';
import {
  identityFrom,
  identityMessage,
  nodeFrom,
  nodeMessage,
  policyFrom,
  policyMessage,
  required,
  settingsFrom,
  settingsMessage,
} from './messages.ts';

/** A wait longer than this is the caller's to repeat. */
const MAX_WATCH_MS = 120_000;

type Owned = { readonly ownership: OwnershipMessage | undefined };

/** The five operations that every declared kind has. */
function operations<Message extends Owned & { readonly id: string }, Body extends object>(
  context: ServiceContext,
  rules: ObjectRules<Body, Body>,
  from: (message: Message) => Body,
  to: (object: Declared<Body>) => Message,
) {
  const wish = (message: Message): Wish<Body> => ({ input: from(message), owner: message.ownership?.owner ?? '' });
  return {
    get: async (by: { readonly id: string; readonly name: string }): Promise<Message> =>
      to(await context.store.transact((tx) => lookUp(tx, rules, by))),
    list: async (): Promise<Message[]> => (await context.store.transact((tx) => listObjects<Body>(tx, rules.kind))).map(to),
    create: async (message: Message) => {
      const options = { atSeconds: nowSeconds(context), trustDomain: context.trustDomain };
      const { result, revision } = await mutate(context, (tx) => createObject(tx, rules, wish(message), options));
      return { object: to(result), revision };
    },
    update: async (message: Message, expectedGeneration: bigint | undefined) => {
      const { result, revision } = await mutate(context, (tx) => updateObject(tx, rules, message.id, wish(message), expectedGeneration));
      return { object: to(result), revision };
    },
    remove: async (request: { readonly id: string; readonly expectedGeneration?: bigint | undefined }) => {
      const { revision } = await mutate(context, (tx) => removeObject(tx, rules, request.id, request.expectedGeneration));
      return { revision };
    },
  };
}

/** symbolon.authority.v1.Control. */
export function controlService(context: ServiceContext): Handlers<typeof ControlService> {
  const { trustDomain, store, hub, rules } = context;
  const nodes = operations(context, rules.node, nodeFrom, (node: Declared<NodeBody>) => nodeMessage(node, trustDomain));
  const policies = operations(context, rules.policy, policyFrom, policyMessage);
  const identities = operations(context, rules.identity, identityFrom, identityMessage);
  const isOurs = (name: string): void => {
    if (name !== trustDomain) {
      throw new SymbolonError('NOT_FOUND', `this is the authority of ${trustDomain}, not of ${JSON.stringify(name)}`, { what: name });
    }
  };
  return {
    getStatus: async () => {
      const { revision, declared, attested } = await store.transact(async (tx) => ({
        revision: await currentRevision(tx),
        declared: await listObjects<NodeBody>(tx, 'node'),
        attested: new Map((await listAgents(tx)).map((agent) => [agent.node, agent])),
      }));
      return {
        trustDomain,
        version: VERSION,
        revision,
        agents: declared.map(({ body }) => agentStatus(context, body.name, attested.get(body.name))),
        caExpiresAt: BigInt(Math.floor(context.ca.notAfter / 1000)),
      };
    },

    getTrustDomain: async () => settingsMessage(await store.transact(readSettings), trustDomain),
    setTrustDomain: async (request) => {
      const message = required(request.settings, 'settings');
      isOurs(message.trustDomain);
      const wish = { input: settingsFrom(message), owner: message.ownership?.owner ?? '' };
      const { result, revision } = await mutate(context, (tx) => declareSettings(tx, trustDomain, wish, request.expectedGeneration));
      return { settings: settingsMessage(result, trustDomain), revision };
    },
    resetTrustDomain: async (request) => {
      isOurs(request.id);
      const { revision } = await mutate(context, (tx) => resetSettings(tx, trustDomain, request.expectedGeneration));
      return { revision };
    },

    getNode: (request) => nodes.get(request),
    listNodes: async () => ({ nodes: await nodes.list() }),
    createNode: async (request) => {
      const { object, revision } = await nodes.create(required(request.node, 'node'));
      return { node: object, revision };
    },
    updateNode: async (request) => {
      const { object, revision } = await nodes.update(required(request.node, 'node'), request.expectedGeneration);
      return { node: object, revision };
    },
    deleteNode: (request) => nodes.remove(request),

    getAuthPolicy: (request) => policies.get(request),
    listAuthPolicies: async () => ({ policies: await policies.list() }),
    createAuthPolicy: async (request) => {
      const { object, revision } = await policies.create(required(request.policy, 'policy'));
      return { policy: object, revision };
    },
    updateAuthPolicy: async (request) => {
      const { object, revision } = await policies.update(required(request.policy, 'policy'), request.expectedGeneration);
      return { policy: object, revision };
    },
    deleteAuthPolicy: (request) => policies.remove(request),

    getIdentity: (request) => identities.get(request),
    listIdentities: async () => ({ identities: await identities.list() }),
    createIdentity: async (request) => {
      const { object, revision } = await identities.create(required(request.identity, 'identity'));
      return { identity: object, revision };
    },
    updateIdentity: async (request) => {
      const { object, revision } = await identities.update(required(request.identity, 'identity'), request.expectedGeneration);
      return { identity: object, revision };
    },
    deleteIdentity: (request) => identities.remove(request),

    watchEnforcement: async (request, call) => {
      const timeoutMs = Math.min(request.timeoutMs, MAX_WATCH_MS);
      const { enforced, connectedAgents, laggingNodes } = await hub.waitForEnforcement(request.revision, timeoutMs, call.signal);
      return { enforced, connectedAgents, laggingNodes: [...laggingNodes] };
    },
  };
}

function agentStatus({ hub, trustDomain }: ServiceContext, node: string, attested: AgentRecord | undefined): AgentStatus {
  const presence = hub.presence(node);
  return {
    nodeId: nodeSpiffeId(trustDomain, node),
    nodeName: node,
    connected: presence?.connected ?? false,
    enforcedRevision: presence?.enforcedRevision ?? 0n,
    agentVersion: presence?.agentVersion ?? '',
    problem: presence?.problem ?? '',
    lastSeenAt: BigInt(Math.floor((presence?.lastSeenAt ?? 0) / 1000)),
    banned: attested?.banned ?? false,
    svidExpiresAt: BigInt(attested?.expiresAtSeconds ?? 0),
  };
}
