import { expect, test } from '@jest/globals';
import type { ExplainedEnd, Explanation, Question, SideAnswer } from '#core/policy/explain';
import { compile } from '#core/policy/compile';
import type { Decision } from '#core/policy/model';
import { parseTraffic } from '#core/policy/traffic';
import { nodeSpiffeId } from '#core/registration/node-id';
import type { PairObstacle } from '#core/registration/pair-obstacles';
import { parseTrustDomain } from '#core/spiffe/id';
import { answerOf, describeAnswer } from './explain-answer.ts';

const node = nodeSpiffeId(parseTrustDomain('east.example'), 'east-2');
const ended: PairObstacle = { node, reason: 'banned', until: 'changed', text: 'trust' };
const away: PairObstacle = { node, reason: 'not-connected', until: 'back', text: 'an agent' };

const side = (decision: Decision): SideAnswer => ({ side: 'egress', node, decision });
const allowed: Explanation = {
  verdict: 'allowed',
  authenticates: true,
  sides: [side({ verdict: 'allow', rule: 'p', protection: 'authenticated', grants: [] })],
  missing: [],
};
const denied: Explanation = {
  verdict: 'refused',
  authenticates: true,
  sides: [side({ verdict: 'deny', rule: 'p' })],
  missing: ['a policy'],
};
const nobody: Explanation = { verdict: 'refused', authenticates: false, sides: [], missing: ['an identity'] };
const free: Explanation = { verdict: 'free', authenticates: false, sides: [], missing: [] };
const end = (label: string): ExplainedEnd => ({ label, enforcement: 'all', inDirectory: true });
const policies = compile([]);
const question: Question = {
  source: end('web'),
  destination: end('payments'),
  traffic: parseTraffic('tcp/8443'),
  family: 4,
  egress: policies,
  ingress: policies,
};

type Row = readonly [
  policies: string,
  explanation: Explanation,
  obstacles: readonly PairObstacle[],
  verdict: string,
  authenticates: boolean,
  says: string,
];
const ROWS: readonly Row[] = [
  ['allowed', allowed, [], 'allowed', true, 'allowed, after both have proven themselves'],
  ['allowed', allowed, [away], 'waits', true, 'allowed, but new pairs wait: an agent is not connected'],
  ['allowed', allowed, [ended], 'refused', false, 'refused: the policies allow it, but the two cannot prove themselves'],
  ['allowed', allowed, [away, ended], 'refused', false, 'refused: the policies allow it, but the two cannot prove themselves'],
  ['denied', denied, [], 'refused', true, 'refused'],
  ['denied', denied, [away], 'refused', true, 'refused'],
  ['denied', denied, [ended], 'refused', false, 'refused'],
  ['refused for want of an identity', nobody, [away], 'refused', false, 'refused'],
  ['free', free, [ended], 'free', false, 'passes without proof: neither end demands one here'],
];

test.each(ROWS)('%s', (_, explanation, obstacles, verdict, authenticates, says) => {
  const answer = answerOf(explanation, obstacles);
  const shown = explanation === free ? [] : obstacles;
  expect(answer).toMatchObject({ verdict, authenticates, obstacles: shown, sides: explanation.sides });
  expect(answer.missing).toEqual([...explanation.missing, ...shown.map(({ text }) => text)]);
  const [first, ...rest] = describeAnswer(question, answer);
  expect(first).toBe(`web > payments tcp/8443: ${says}`);
  expect(rest.filter((line) => line.startsWith('  missing  '))).toHaveLength(answer.missing.length);
});
