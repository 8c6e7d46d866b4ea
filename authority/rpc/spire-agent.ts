import { SymbolonError } from '#core/errors/error';
import { isNodeName, nodeNameOf, nodeSpiffeId } from '#core/registration/node-id';
import { trustDomainOf } from '#core/spiffe/id';
import type { Handlers } from '#daemon/grpc/service';
import type { AgentFilter, AgentService, AttestAgentRequest } from '#proto/gen/spire/server/agent';
import { type Agent, type AgentMask, SelectorMatch_MatchBehavior, type SPIFFEID } from '#proto/gen/spire/types';
import { renewNode } from '../attestation/attest.ts';
import { join, type JoinRequest } from '../attestation/join.ts';
import { createJoinToken } from '../attestation/join-token.ts';
import { verifyCsr } from '../ca/csr.ts';
import { type AgentRecord, deleteAgent, findAgent, listAgents, writeAgent } from '../store/agents.ts';
import { deleteJoinTokensOf } from '../store/join-tokens.ts';
import type { StoreTransaction } from '../store/schema.ts';
import { mutate, nowSeconds, type ServiceContext } from './context.ts';
import { pageOf } from './page.ts';
import { parseSpireTime } from './spire-time.ts';
import { spiffeIdFrom, spiffeIdMessage, x509SvidMessage } from './spire-types.ts';

/** A token has 64 characters; what is longer is not hashed. */
const MAX_PAYLOAD_BYTES = 256;

function agentFilter(filter: AgentFilter | undefined): (agent: AgentRecord) => boolean {
  if (!filter) return () => true;
  const before = filter.byExpiresBefore === '' ? undefined : parseSpireTime(filter.byExpiresBefore);
  if (Number.isNaN(before)) {
    throw new SymbolonError('REQUEST_INVALID', `by_expires_before ${JSON.stringify(filter.byExpiresBefore)} is not a time`, {
      field: 'by_expires_before',
      value: filter.byExpiresBefore,
    });
  }
  // Agents have no selectors here.
  const bySelectors = filter.bySelectorMatch;
  const passesSelectors =
    !bySelectors || bySelectors.selectors.length === 0 || bySelectors.match === SelectorMatch_MatchBehavior.MATCH_SUBSET;
  return (agent) =>
    passesSelectors &&
    (filter.byAttestationType === '' || agent.attestationType === filter.byAttestationType) &&
    (filter.byBanned === undefined || agent.banned === filter.byBanned) &&
    (filter.byCanReattest === undefined || !filter.byCanReattest) &&
    (before === undefined || agent.expiresAtSeconds < before);
}

/** The join token and the request for a certificate in the first message of an attestation. Throws REQUEST_INVALID. */
async function attestationParams(requests: AsyncIterable<AttestAgentRequest>): Promise<JoinRequest> {
  const fail = (field: string, why: string): never => {
    throw new SymbolonError('REQUEST_INVALID', why, { field, value: '' });
  };
  for await (const { step } of requests) {
    if (step?.$case !== 'params') return fail('params', 'an attestation begins with params');
    const { data, params } = step.value;
    if (!data || !params) return fail('params', 'an attestation needs data and params');
    if (data.type !== 'join_token')
      return fail('data.type', `attestation by ${JSON.stringify(data.type)} is not supported; expected join_token`);
    if (data.payload.length > MAX_PAYLOAD_BYTES) return fail('data.payload', 'the payload is too long for a join token');
    return { token: data.payload.toString('utf8'), csr: params.csr };
  }
  return fail('params', 'the stream ended before the attestation began');
}

/** spire.api.server.agent.v1.Agent: nodes by their join tokens. */
export function spireAgentService(context: ServiceContext): Handlers<typeof AgentService> {
  const { store, ca, clock, trustDomain, authorisation, limits, log } = context;

  const message = (agent: AgentRecord, mask?: AgentMask): Agent => {
    const shows = (field: keyof AgentMask): boolean => mask?.[field] ?? true;
    return {
      id: spiffeIdMessage(nodeSpiffeId(trustDomain, agent.node)),
      attestationType: shows('attestationType') ? agent.attestationType : '',
      x509svidSerialNumber: shows('x509svidSerialNumber') ? BigInt(`0x${agent.serialNumber}`).toString() : '',
      x509svidExpiresAt: shows('x509svidExpiresAt') ? BigInt(agent.expiresAtSeconds) : 0n,
      selectors: [],
      banned: shows('banned') && agent.banned,
      canReattest: false,
      // Known once the agent has reported to this process.
      agentVersion: shows('agentVersion') ? (context.hub.presence(agent.node)?.agentVersion ?? '') : '',
    };
  };
  /** The node that an agent's ID names. Throws NOT_FOUND. */
  const nodeFrom = (id: SPIFFEID | undefined, field: string): string => {
    const parsed = spiffeIdFrom(id, field);
    const node = trustDomainOf(parsed) === trustDomain ? nodeNameOf(parsed) : undefined;
    if (node !== undefined) return node;
    throw new SymbolonError('NOT_FOUND', `${parsed} is no node of ${trustDomain}; expected spiffe://${trustDomain}/symbolon/node/<name>`, {
      what: parsed,
    });
  };
  const existing = async (tx: StoreTransaction, node: string): Promise<AgentRecord> => {
    const agent = await findAgent(tx, node);
    if (agent) return agent;
    throw new SymbolonError('NOT_FOUND', `the node ${node} has not attested`, { what: node });
  };

  return {
    countAgents: async (request) => ({ count: (await store.transact(listAgents)).filter(agentFilter(request.filter)).length }),
    listAgents: async (request) => {
      const found = (await store.transact(listAgents)).filter(agentFilter(request.filter));
      const { items, nextPageToken } = pageOf(found, { of: (agent) => agent.node, isKey: isNodeName }, request);
      return { agents: items.map((agent) => message(agent, request.outputMask)), nextPageToken };
    },
    getAgent: async (request) => {
      const node = nodeFrom(request.id, 'id');
      return message(await store.transact((tx) => existing(tx, node)), request.outputMask);
    },
    deleteAgent: async (request) => {
      const node = nodeFrom(request.id, 'id');
      await mutate(context, async (tx) => {
        await existing(tx, node);
        await deleteAgent(tx, node);
        await deleteJoinTokensOf(tx, node);
      });
      log.warn({ node }, 'evicted a node');
      return {};
    },
    banAgent: async (request) => {
      const node = nodeFrom(request.id, 'id');
      await mutate(context, async (tx) => {
        const agent = await existing(tx, node);
        await writeAgent(tx, { ...agent, banned: true });
        await deleteJoinTokensOf(tx, node);
      });
      log.warn({ node }, 'banned a node');
      return {};
    },
    async *attestAgent(requests) {
      const request = await attestationParams(requests);
      // One stranger looks like another: they share what there is.
      const { node, svid } = await limits.joins.run('AttestAgent', '', () => join(store, ca, request, clock.now()));
      // A connection by the node's previous SVID is cut.
      void context.hub.changed();
      log.info({ node, serialNumber: svid.serialNumber }, 'a node has joined');
      yield { step: { $case: 'result', value: { svid: x509SvidMessage(svid), reattestable: false } } };
    },
    renewAgent: async (request, call) => {
      const { node } = authorisation.nodeOf(call);
      const svid = await limits.nodeCalls.run('RenewAgent', node, async () => {
        const { publicKey } = verifyCsr(request.params?.csr ?? Buffer.alloc(0));
        // Looked up again, in the transaction that writes: a ban or a new attestation meanwhile must not be overwritten.
        return store.transact(async (tx) => renewNode(tx, ca, await authorisation.attestedNode(tx, call), publicKey, clock.now()));
      });
      log.info({ node, serialNumber: svid.serialNumber }, 'renewed a node SVID');
      return { svid: x509SvidMessage(svid) };
    },
    createJoinToken: async (request) => {
      if (request.token !== '') {
        throw new SymbolonError('REQUEST_INVALID', 'a token cannot be chosen; leave it out and use the one that is answered', {
          field: 'token',
          value: '',
        });
      }
      if (!request.agentId) {
        const expected = `spiffe://${trustDomain}/symbolon/node/<name>`;
        throw new SymbolonError('REQUEST_INVALID', `a token is for one node; name it by agent_id (spire-server: -spiffeID ${expected})`, {
          field: 'agent_id',
          value: '',
        });
      }
      const node = nodeFrom(request.agentId, 'agent_id');
      const token = await store.transact((tx) => createJoinToken(tx, node, request.ttl, nowSeconds(context)));
      log.info({ node, expiresAtSeconds: token.expiresAtSeconds }, 'made a join token');
      return { value: token.value, expiresAt: BigInt(token.expiresAtSeconds) };
    },
  };
}
