import { formatInstant, type Instant } from '#core/time/instant';
import type { SpiffeId } from '#core/spiffe/id';

/** What an authority knows of a node beyond its declaration. */
export interface NodeStanding {
  readonly nodeId: SpiffeId;
  /** Whether the directory says where its agent listens. */
  readonly hasEndpoint: boolean;
  readonly banned: boolean;
  /** When the newest SVID of the node ends; undefined: none has joined, or it was evicted. */
  readonly svidNotAfter: Instant | undefined;
  /** Whether its agent is connected to the authority now. */
  readonly connected: boolean;
}

/**
 * Something that keeps a node's agent from proving new pairs, whatever the policies say. `until`: `changed` = for good, until somebody changes it; `back` = for as
 * long as the agent is away. Reasons are stable: programs read them.
 */
export interface PairObstacle {
  readonly node: SpiffeId;
  readonly reason: 'no-endpoint' | 'banned' | 'not-joined' | 'expired' | 'not-connected';
  readonly until: 'changed' | 'back';
  /** For people: what is missing, and what to do. */
  readonly text: string;
}

function withoutCredential(node: NodeStanding, at: Instant): PairObstacle | undefined {
  const { nodeId } = node;
  const lasting = (reason: PairObstacle['reason'], text: string): PairObstacle => ({ node: nodeId, reason, until: 'changed', text });
  if (node.banned) return lasting('banned', `trust in ${nodeId}: it is banned, so no other node takes its word and it gets no SVID`);
  if (node.svidNotAfter === undefined) {
    return lasting('not-joined', `an agent on ${nodeId}: none has joined, or it was evicted; give one a join token`);
  }
  if (node.svidNotAfter > at || node.connected) return undefined;
  const ended = formatInstant(node.svidNotAfter);
  return lasting('expired', `an SVID of ${nodeId}: the newest ended at ${ended}; its agent must join again, with a new token`);
}

function withoutAgent({ nodeId, connected }: NodeStanding): PairObstacle | undefined {
  if (connected) return undefined;
  const text = `the agent of ${nodeId}: it is not connected to the authority now; unless it runs cut off from it, new pairs wait until it is back, and those that live end with their lease`;
  return { node: nodeId, reason: 'not-connected', until: 'back', text };
}

function withoutEndpoint({ nodeId, hasEndpoint }: NodeStanding): PairObstacle | undefined {
  if (hasEndpoint) return undefined;
  const text = `an endpoint of ${nodeId}: without one its agent can neither be reached by the other node's, nor connect to it; set the node's endpoint`;
  return { node: nodeId, reason: 'no-endpoint', until: 'changed', text };
}

/**
 * What keeps the agents of two nodes from proving new pairs of their workloads. A pair within one node needs no session and so no endpoint; between two nodes
 * both need one, whoever dials: an agent's port admits only addresses that the directory names.
 */
export function pairObstacles(source: NodeStanding, destination: NodeStanding, at: Instant): readonly PairObstacle[] {
  const nodes = source.nodeId === destination.nodeId ? [source] : [source, destination];
  const between = nodes.length > 1;
  return nodes
    .flatMap((node) => [between ? withoutEndpoint(node) : undefined, withoutCredential(node, at) ?? withoutAgent(node)])
    .filter((obstacle) => obstacle !== undefined);
}
