import type { Counter } from '../datapath/contract.ts';
import type { NodeIdentityStatus } from '../identity/node-identity.ts';
import type { WorkloadEndpoint } from '../node/endpoints.ts';

/** What `symbolon status --run` shows of a node: the JSON of `/status`. No secrets. */
export interface AgentStatus {
  readonly version: string;
  readonly nodeId: string;
  readonly state: 'waiting-for-authority' | 'enforcing';
  readonly authority: { readonly connected: boolean; readonly revision?: string; readonly enforcedRevision: string };
  readonly svidExpiresAt: string;
  readonly workloads: readonly {
    readonly interface: string;
    readonly endpoint: number;
    readonly addresses: readonly string[];
    readonly gate: string;
    readonly identity?: string;
    readonly problem?: string;
  }[];
  readonly pairs: readonly object[];
  /** Counts by reason since the gate was loaded: decimal, without those that are 0. */
  readonly packets: { readonly refused: Readonly<Record<string, string>>; readonly passed: Readonly<Record<string, string>> };
  readonly flowsRefused: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
  /** Traffic that passes without proof, and why. */
  readonly exemptions: readonly string[];
}

/** What a node lets pass by construction: the list that people may ask for. */
function exemptionsOf(agentPort: number): readonly string[] {
  return [
    `TCP port ${agentPort} of this node, from the addresses of agents in the node directory: node sessions`,
    'ARP, and neighbour and router discovery with hop limit 255, on every link',
    'ICMP errors that quote a live flow, from any router: path MTU discovery',
    "the node's own traffic, but to workloads with an identity; and that of workloads that no identity matches",
  ];
}

function countsOf(counters: readonly Counter[], kind: Counter['kind']): Readonly<Record<string, string>> {
  const counted = counters.filter((counter) => counter.kind === kind && counter.count > 0n);
  return Object.fromEntries(counted.map(({ reason, count }) => [reason, count.toString()]));
}

/** Puts a node's state together. */
export function agentStatusOf(input: {
  readonly version: string;
  readonly identity: NodeIdentityStatus;
  readonly endpoints: readonly WorkloadEndpoint[];
  readonly pairs: readonly object[];
  readonly counters: readonly Counter[];
  /** What is wrong now, for people. */
  readonly problems: readonly string[];
  readonly agentPort: number;
}): AgentStatus {
  const { identity } = input;
  return {
    version: input.version,
    nodeId: identity.nodeId,
    state: identity.revision === undefined ? 'waiting-for-authority' : 'enforcing',
    authority: {
      connected: identity.connected,
      enforcedRevision: identity.enforcedRevision.toString(),
      ...(identity.revision === undefined ? {} : { revision: identity.revision.toString() }),
    },
    svidExpiresAt: new Date(identity.svidNotAfter).toISOString(),
    workloads: input.endpoints.map((endpoint) => ({
      interface: endpoint.name,
      endpoint: endpoint.endpoint,
      addresses: endpoint.addresses.map((address) => address.text),
      gate: endpoint.gate,
      ...(endpoint.identity ? { identity: endpoint.identity.spiffeId } : {}),
      ...(endpoint.problem === undefined ? {} : { problem: endpoint.problem }),
    })),
    pairs: input.pairs,
    packets: { refused: countsOf(input.counters, 'packets refused'), passed: countsOf(input.counters, 'packets passed') },
    flowsRefused: countsOf(input.counters, 'flows refused'),
    problems: input.problems,
    exemptions: exemptionsOf(input.agentPort),
  };
}
