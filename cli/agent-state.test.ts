import { expect, test } from '@jest/globals';
import { AgentStatus } from '#proto/gen/symbolon/authority/control';
import { agentState } from './agent-state.ts';

const NEWEST = 7n;

test.each<[string, Partial<AgentStatus>]>([
  ['enforces it', { connected: true, enforcedRevision: NEWEST }],
  ['enforces revision 6', { connected: true, enforcedRevision: 6n }],
  ['no room in a map', { connected: true, enforcedRevision: 6n, problem: 'no room in a map' }],
  ['not connected', { lastSeenAt: 1n, enforcedRevision: NEWEST }],
  ['never seen', {}],
  ['banned', { banned: true, lastSeenAt: 1n }],
  ['banned', { banned: true }],
])('%s', (state, agent) => {
  expect(agentState(AgentStatus.fromPartial(agent), NEWEST)).toBe(state);
});
