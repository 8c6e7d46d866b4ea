import { describe, expect, test } from '@jest/globals';
import { parseTrustDomain } from '#core/spiffe/id';
import { addMs, instantFromMs } from '#core/time/instant';
import { nodeSpiffeId } from './node-id.ts';
import { type NodeStanding, pairObstacles } from './pair-obstacles.ts';

const NOW = instantFromMs(1_800_000_000_000);
const EAST = parseTrustDomain('east.example');
const one = nodeSpiffeId(EAST, 'east-1');
const two = nodeSpiffeId(EAST, 'east-2');
const sound = (nodeId: NodeStanding['nodeId'], change: Partial<NodeStanding> = {}): NodeStanding => ({
  nodeId,
  hasEndpoint: true,
  banned: false,
  svidNotAfter: addMs(NOW, 1),
  connected: true,
  ...change,
});

type Row = readonly [what: string, change: Partial<NodeStanding>, between: readonly string[], within: readonly string[]];
const ROWS: readonly Row[] = [
  ['nothing', {}, [], []],
  ['its endpoint', { hasEndpoint: false }, ['no-endpoint changed'], []],
  [
    'its endpoint and its agent',
    { hasEndpoint: false, connected: false },
    ['no-endpoint changed', 'not-connected back'],
    ['not-connected back'],
  ],
  ['trust: it is banned', { banned: true, connected: false }, ['banned changed'], ['banned changed']],
  ['an agent that has ever joined', { svidNotAfter: undefined, connected: false }, ['not-joined changed'], ['not-joined changed']],
  ['its agent, now', { connected: false }, ['not-connected back'], ['not-connected back']],
  ['an SVID: it ends now', { svidNotAfter: NOW, connected: false }, ['expired changed'], ['expired changed']],
  ['nothing: what is connected has just renewed', { svidNotAfter: NOW }, [], []],
];

describe.each(ROWS)('what lacks %s', (_, change, between, within) => {
  const said = (source: NodeStanding, destination: NodeStanding) =>
    pairObstacles(source, destination, NOW).map(({ node, reason, until }) => `${node} ${reason} ${until}`);

  test('as the source', () => {
    expect(said(sound(one, change), sound(two))).toEqual(between.map((text) => `${one} ${text}`));
  });

  test('as the destination', () => {
    expect(said(sound(one), sound(two, change))).toEqual(between.map((text) => `${two} ${text}`));
  });

  test('as both: of one node, that is said once and needs no session', () => {
    expect(said(sound(one, change), sound(one, change))).toEqual(within.map((text) => `${one} ${text}`));
  });
});

test('what is missing is said with the node and what to do', () => {
  const [obstacle] = pairObstacles(sound(one), sound(two, { hasEndpoint: false }), NOW);
  expect(obstacle?.text).toMatch(/^an endpoint of spiffe:\/\/east\.example\/symbolon\/node\/east-2: .*set the node's endpoint$/);
});
