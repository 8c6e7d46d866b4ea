import type { Client } from '@grpc/grpc-js';
import { SymbolonError } from '#core/errors/error';
import { type IpAddress, parseIpAddress } from '#core/network/address';
import { parseIpPrefix } from '#core/network/prefix';
import { compile, type CompiledPolicies } from '#core/policy/compile';
import { parseAuthPolicy } from '#core/policy/parse';
import { parseAgentEndpoint } from '#core/registration/agent-endpoint';
import { buildDirectory, type NodeDirectory } from '#core/registration/directory';
import { DEFAULT_ENFORCEMENT, type Enforcement } from '#core/registration/entry';
import type { NodeStanding } from '#core/registration/pair-obstacles';
import { parseSpiffeId, parseTrustDomain, type SpiffeId, type TrustDomain } from '#core/spiffe/id';
import { instantFromMs } from '#core/time/instant';
import { callUnary } from '#daemon/grpc/call';
import { type AgentStatus, ControlService } from '#proto/gen/symbolon/authority/control';
import type { Enforcement as WireEnforcement, Identity, Node, PartySet } from '#proto/gen/symbolon/authority/types';
import { enforcementFromMessage } from '#wire/enforcement';

/** An identity, as far as the question who may talk to whom needs it. */
export interface DeclaredIdentity {
  readonly id: SpiffeId;
  readonly node: SpiffeId;
  readonly addresses: readonly IpAddress[];
  readonly enforcement: Enforcement;
}

/** What a trust domain's authority has been told. */
export interface Declared {
  readonly trustDomain: TrustDomain;
  readonly identities: readonly DeclaredIdentity[];
  readonly directory: NodeDirectory;
  readonly policies: CompiledPolicies;
  /** How each declared node stands with the authority. */
  readonly standings: ReadonlyMap<SpiffeId, NodeStanding>;
}

const NOBODY: PartySet = { spiffeIds: [], pathPrefixes: [], trustDomains: [], addressPrefixes: [] };

function enforcementOf(wire: WireEnforcement): Enforcement | undefined {
  return enforcementFromMessage(wire, (why) => {
    throw new SymbolonError('ENTRY_INVALID', `${why}; this program is older than the authority, upgrade it`, {
      field: 'enforcement',
      value: String(wire),
    });
  });
}

function identityOf(wire: Identity, byDefault: Enforcement): DeclaredIdentity {
  return {
    id: parseSpiffeId(wire.spiffeId),
    node: parseSpiffeId(wire.parentId),
    addresses: wire.addresses.map(parseIpAddress),
    enforcement: enforcementOf(wire.enforcement) ?? byDefault,
  };
}

function standingsOf(nodes: readonly Node[], agents: readonly AgentStatus[]): ReadonlyMap<SpiffeId, NodeStanding> {
  const standings = new Map<SpiffeId, NodeStanding>();
  for (const { spiffeId, endpoints } of nodes) {
    const nodeId = parseSpiffeId(spiffeId);
    const agent = agents.find((a) => a.nodeId === spiffeId);
    standings.set(nodeId, {
      nodeId,
      hasEndpoint: endpoints.length > 0,
      banned: agent?.banned ?? false,
      svidNotAfter: agent && agent.svidExpiresAt !== 0n ? instantFromMs(Number(agent.svidExpiresAt) * 1000) : undefined,
      connected: agent?.connected ?? false,
    });
  }
  return standings;
}

/** Reads everything that decides who may talk to whom, and who can. Calls that a reader's SVID may make. */
export async function readDeclared(client: Client): Promise<Declared> {
  const settings = await callUnary(client, ControlService.getTrustDomain, {});
  const [{ identities }, { nodes }, { policies }, { agents }] = await Promise.all([
    callUnary(client, ControlService.listIdentities, {}),
    callUnary(client, ControlService.listNodes, {}),
    callUnary(client, ControlService.listAuthPolicies, {}),
    callUnary(client, ControlService.getStatus, {}),
  ]);
  const trustDomain = parseTrustDomain(settings.trustDomain);
  const byDefault = enforcementOf(settings.enforcement) ?? DEFAULT_ENFORCEMENT;
  return {
    trustDomain,
    identities: identities.map((identity) => identityOf(identity, byDefault)),
    directory: buildDirectory(
      nodes.map((node) => ({
        source: trustDomain,
        realm: 0,
        nodeId: parseSpiffeId(node.spiffeId),
        kind: 'node',
        prefixes: node.addressPrefixes.map(parseIpPrefix),
        endpoints: node.endpoints.map(parseAgentEndpoint),
        generation: node.ownership?.generation ?? 0n,
      })),
    ),
    policies: compile(
      policies.map((policy) =>
        parseAuthPolicy({ ...policy, trustDomain, sources: policy.sources ?? NOBODY, destinations: policy.destinations ?? NOBODY }),
      ),
    ),
    standings: standingsOf(nodes, agents),
  };
}
