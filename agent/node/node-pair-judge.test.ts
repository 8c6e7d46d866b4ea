import { expect, test } from '@jest/globals';
import { parseIpAddress } from '#core/network/address';
import { parseIpPrefix } from '#core/network/prefix';
import { type AuthPolicyInput, parseAuthPolicy } from '#core/policy/parse';
import { buildDirectory, type DirectoryNode } from '#core/registration/directory';
import { parseSpiffeId, parseTrustDomain } from '#core/spiffe/id';
import { systemClock } from '#daemon/clock';
import type { EndpointId, PairSpec, SessionIndex } from '../datapath/contract.ts';
import type { NodeView } from '../identity/node-view.ts';
import type { WorkloadEndpoint } from './endpoints.ts';
import { NodePairJudge } from './node-pair-judge.ts';

const trustDomain = parseTrustDomain('east.example');
const id = (path: string) => parseSpiffeId(`spiffe://east.example${path}`);

function nodeAt(name: string, prefix: string): DirectoryNode {
  const nodeId = id(`/symbolon/node/${name}`);
  return { source: trustDomain, realm: 0, nodeId, kind: 'node', prefixes: [parseIpPrefix(prefix)], endpoints: [], generation: 1n };
}
const NODES = [nodeAt('one', '10.1.0.0/16'), nodeAt('two', '10.2.0.0/16')];
const ALLOW: AuthPolicyInput = {
  name: 'web-to-payments',
  trustDomain: 'east.example',
  sources: { spiffeIds: [id('/web')] },
  destinations: { spiffeIds: [id('/payments')] },
  traffic: ['tcp/8500'],
};
const viewOf = (policies: readonly AuthPolicyInput[], nodes = NODES): NodeView => ({
  revision: 1n,
  settings: { trustDomain, addressPrefixes: [] },
  entries: [],
  policies: policies.map(parseAuthPolicy),
  directory: buildDirectory(nodes),
  bundles: new Map(),
});
const WEB: WorkloadEndpoint = {
  endpoint: 7 as EndpointId,
  interfaceIndex: 3,
  name: 've-web',
  namespace: 1n,
  addresses: [parseIpAddress('10.1.0.2')],
  gate: 'all',
  identity: { entryId: 'web', spiffeId: id('/web') },
};
const FOUND: PairSpec = {
  pair: 1,
  realm: 0,
  endpoint: WEB.endpoint,
  local: parseIpAddress('10.1.0.2'),
  remote: parseIpAddress('10.2.0.2'),
  role: 'client',
  grants: [{ protocol: 6, lowPort: 8000, highPort: 8999 }],
  session: 1 as SessionIndex,
  notAfterBootNs: 1n,
};
const { identity: _, ...stranger } = WEB;

test.each<[string, boolean, NodeView | undefined, WorkloadEndpoint, Partial<PairSpec>]>([
  ['a policy allows a part of it', true, viewOf([ALLOW]), WEB, {}],
  ['its workload awaits its SVID', true, viewOf([ALLOW]), { ...WEB, awaitsSvid: true }, {}],
  ['there is no view yet', true, undefined, WEB, {}],
  ['no policy allows it any more', false, viewOf([]), WEB, {}],
  ['a policy denies it', false, viewOf([ALLOW, { ...ALLOW, name: 'no', action: 'deny' }]), WEB, {}],
  ['the only policy is about who comes in', false, viewOf([{ ...ALLOW, side: 'ingress' }]), WEB, {}],
  ['it serves whom no policy lets in', false, viewOf([ALLOW]), WEB, { role: 'server' }],
  ['it serves whom a policy lets in', true, viewOf([{ ...ALLOW, destinations: ALLOW.sources }]), WEB, { role: 'server' }],
  ['its remote address is no node’s any more', false, viewOf([ALLOW], NODES.slice(0, 1)), WEB, {}],
  ['its workload is not managed any more', false, viewOf([ALLOW]), { ...WEB, gate: 'unmanaged' }, {}],
  ['its workload has no identity any more', false, viewOf([ALLOW]), { ...stranger, gate: 'unattested' }, {}],
  ['its address is another workload’s', false, viewOf([ALLOW]), { ...WEB, endpoint: 8 as EndpointId }, {}],
  ['its workload is not known yet', false, undefined, { ...WEB, addresses: [] }, {}],
])('of a pair that was found, when %s: %s', (_, expected, view, endpoint, change) => {
  const judge = new NodePairJudge(() => undefined, systemClock);
  judge.update(view, [endpoint]);
  expect(judge.mayStand({ ...FOUND, ...change })).toBe(expected);
});

test('what is said of a pair that was found is said by the newest policies', () => {
  const judge = new NodePairJudge(() => undefined, systemClock);
  const answers = [[ALLOW], [], [ALLOW]].map((policies) => {
    judge.update(viewOf(policies), [WEB]);
    return judge.mayStand(FOUND);
  });
  expect(answers).toEqual([true, false, true]);
});
