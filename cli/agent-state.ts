import type { AgentStatus } from '#proto/gen/symbolon/authority/control';

export const ENFORCES = 'enforces it';

/** What a node's agent makes of the newest revision, in words: ENFORCES if it is as it should be. */
export function agentState(agent: AgentStatus, revision: bigint): string {
  if (agent.banned) return 'banned';
  if (!agent.connected) return agent.lastSeenAt === 0n ? 'never seen' : 'not connected';
  if (agent.problem !== '') return agent.problem;
  return agent.enforcedRevision === revision ? ENFORCES : `enforces revision ${agent.enforcedRevision}`;
}
