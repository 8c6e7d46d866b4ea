import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { callUnary } from '#daemon/grpc/call';
import { AgentFilter, AgentService } from '#proto/gen/spire/server/agent';
import { Agent, AgentMask, SelectorMatch_MatchBehavior } from '#proto/gen/spire/types';
import { idParts, nodeId, TestAuthority } from '../testing/test-authority.ts';

const INVALID_ARGUMENT = 3;
const HOUR_MS = 3_600_000;

let authority: TestAuthority;
beforeAll(async () => {
  authority = await TestAuthority.start();
  for (const [i, name] of ['east-3', 'east-1', 'east-2'].entries()) await authority.join(name, `10.${i}.0.0/16`);
  await callUnary(authority.admin, AgentService.banAgent, { id: idParts(nodeId('east-2')) });
});
afterAll(() => authority.close());

const list = (filter: Partial<AgentFilter>, more: { outputMask?: AgentMask; pageSize?: number; pageToken?: string } = {}) =>
  callUnary(authority.admin, AgentService.listAgents, {
    filter: AgentFilter.fromPartial(filter),
    outputMask: undefined,
    pageSize: 0,
    pageToken: '',
    ...more,
  });
const names = (agents: readonly Agent[]): readonly string[] => agents.map(({ id }) => id?.path.replace('/symbolon/node/', '') ?? '');
const spireTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} +0000 +00`;

const ALL = ['east-1', 'east-2', 'east-3'];
const selectors = [{ type: 'unix', value: 'uid:0' }];

describe('agents are listed and counted', () => {
  test.each<[string, () => Partial<AgentFilter>, readonly string[]]>([
    ['all', () => ({}), ALL],
    ['by how they attested', () => ({ byAttestationType: 'join_token' }), ALL],
    ['by another way to attest', () => ({ byAttestationType: 'x509pop' }), []],
    ['that are banned', () => ({ byBanned: true }), ['east-2']],
    ['that are not banned', () => ({ byBanned: false }), ['east-1', 'east-3']],
    ['that can reattest', () => ({ byCanReattest: true }), []],
    ['that cannot', () => ({ byCanReattest: false }), ALL],
    ['with exactly these selectors', () => ({ bySelectorMatch: { selectors, match: SelectorMatch_MatchBehavior.MATCH_EXACT } }), []],
    ['with no other selectors', () => ({ bySelectorMatch: { selectors, match: SelectorMatch_MatchBehavior.MATCH_SUBSET } }), ALL],
    ['with at least these selectors', () => ({ bySelectorMatch: { selectors, match: SelectorMatch_MatchBehavior.MATCH_SUPERSET } }), []],
    ['with any of these selectors', () => ({ bySelectorMatch: { selectors, match: SelectorMatch_MatchBehavior.MATCH_ANY } }), []],
    ['that expire before a time that is past', () => ({ byExpiresBefore: spireTime(Date.now()) }), []],
    ['that expire before a time to come', () => ({ byExpiresBefore: spireTime(Date.now() + 2 * HOUR_MS) }), ALL],
    ['by two filters', () => ({ byBanned: true, byCanReattest: true }), []],
  ])('%s', async (_how, filter, expected) => {
    expect(names((await list(filter())).agents)).toEqual(expected);
    const request = { filter: AgentFilter.fromPartial(filter()) };
    expect(await callUnary(authority.admin, AgentService.countAgents, request)).toEqual({ count: expected.length });
  });

  test.each(['rubbish', '1', '2026', 'Sat Feb 28 2026', '2026-02-30 00:00:00 +0000 +00'])('not by %j, which is no time', async (text) => {
    await expect(list({ byExpiresBefore: text })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      context: { field: 'by_expires_before', value: text },
      cause: { code: INVALID_ARGUMENT },
    });
  });
});

test('pages hold each agent once, by name', async () => {
  const first = await list({}, { pageSize: 2 });
  expect([names(first.agents), first.nextPageToken]).toEqual([['east-1', 'east-2'], 'east-2']);
  const second = await list({}, { pageSize: 2, pageToken: first.nextPageToken });
  expect([names(second.agents), second.nextPageToken]).toEqual([['east-3'], '']);
});

test.each(['../x', 'east 1', '.', 'x'.repeat(64)])('the page token %j is refused', async (pageToken) => {
  await expect(list({}, { pageToken })).rejects.toMatchObject({ code: 'REQUEST_INVALID', context: { field: 'page_token' } });
});

describe('a mask shows what it names, and the id', () => {
  const only = (field: keyof AgentMask): AgentMask => AgentMask.fromPartial({ [field]: true });
  const whole = async (): Promise<Agent> =>
    callUnary(authority.admin, AgentService.getAgent, { id: idParts(nodeId('east-2')), outputMask: undefined });

  test('without one all is shown', async () => {
    expect(await whole()).toMatchObject({
      id: idParts(nodeId('east-2')),
      attestationType: 'join_token',
      x509svidSerialNumber: expect.stringMatching(/^[1-9]\d+$/),
      banned: true,
    });
    expect(Number((await whole()).x509svidExpiresAt) * 1000).toBeGreaterThan(Date.now());
  });

  test.each<keyof AgentMask>([
    'attestationType',
    'x509svidSerialNumber',
    'x509svidExpiresAt',
    'banned',
    'selectors',
    'canReattest',
    'agentVersion',
  ])('%s', async (field) => {
    const { id, [field]: value } = await whole();
    const masked = Agent.fromPartial({ id, [field]: value });
    expect(await callUnary(authority.admin, AgentService.getAgent, { id, outputMask: only(field) })).toEqual(masked);
    expect((await list({ byBanned: true }, { outputMask: only(field) })).agents).toEqual([masked]);
  });
});
