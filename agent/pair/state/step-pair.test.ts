import { describe, expect, test } from '@jest/globals';
import type { X509Svid } from '#core/spiffe/svid';
import { instantFromMs } from '#core/time/instant';
import type { EndpointId, SessionIndex } from '../../datapath/contract.ts';
import { tcpFlow } from '../../session/testing/links.ts';
import type { Attempt, LivePair, PairEffect, PairEvent, PairState, PairView } from './pair-state.ts';
import { stepPair } from './step-pair.ts';

const AT = instantFromMs(1_000_000);
const TCP = (lowPort: number, highPort = lowPort) => ({ protocol: 6, lowPort, highPort });
const flow = (port: number) => tcpFlow('10.1.0.2', '10.2.0.2', port);
const svid = (id: string) => ({ id }) as X509Svid;

/** The same pair between other workloads. */
function ofOthers(pair: LivePair, change: { readonly local?: string; readonly peer?: string }): LivePair {
  const { local = pair.proven.local.id, peer = pair.proven.peer.id } = change;
  return { ...pair, proven: { ...pair.proven, local: svid(local), peer: svid(peer) } };
}

function pairNumber(number: number, more: Partial<LivePair> = {}, role: 'client' | 'server' = 'client', expiresAt = AT + 1000): LivePair {
  const grants = [TCP(8000, 8999)];
  const proven = {
    pairId: `id-${number}`,
    role,
    flow: flow(8443),
    local: svid('spiffe://east.example/web'),
    peer: svid('spiffe://east.example/payments'),
    grants,
    serverGrants: grants,
    expiresAt: instantFromMs(expiresAt),
  };
  return {
    proven,
    number,
    endpoint: 1 as EndpointId,
    session: 1 as SessionIndex,
    peerNode: 'spiffe://east.example/n' as LivePair['peerNode'],
    grants,
    ...more,
  };
}
const ALLOWS: PairView = {
  judge: (pair) => ({ verdict: 'accepted', grants: pair.grants }),
  allows: () => true,
  tombstoned: () => false,
  leaseLives: () => true,
};
const DENIES: PairView = {
  ...ALLOWS,
  judge: () => ({ verdict: 'refused', reason: 'policy-changed', refusal: 'denied-by-policy', detail: 'no' }),
};
const attempt = (id: number, port = 8443, purpose: Attempt['purpose'] = 'flow'): Attempt => ({ id, flow: flow(port), purpose });

const P1 = pairNumber(1);
const P2 = pairNumber(2);
const SERVER = pairNumber(3, {}, 'server');
const idle: PairState = { kind: 'idle' };
const closed: PairState = { kind: 'closed' };
const live: PairState = { kind: 'live', pair: P1 };
const serving: PairState = { kind: 'live', pair: SERVER };
const asking: PairState = { kind: 'authenticating', attempt: attempt(7), waiting: [] };
const renewing: PairState = { kind: 'renewing', pair: P1, attempt: attempt(7, 8443, 'renewal'), waiting: [] };
const widening: PairState = { kind: 'renewing', pair: P1, attempt: attempt(7, 22), waiting: [] };

const wanted = (port: number): PairEvent => ({ kind: 'wanted', flow: flow(port), attempt: 9 });
const proven = (pair: LivePair, of?: number): PairEvent => ({ kind: 'proven', pair, next: 9, ...(of !== undefined && { attempt: of }) });
const refusedBy = (reason: (PairEvent & { kind: 'refused' })['reason'], of = 7): PairEvent => ({
  kind: 'refused',
  attempt: of,
  reason,
  next: 9,
});
const told = (pairId: string, reason: 'policy-changed' | 'unknown-pair' = 'policy-changed'): PairEvent => ({
  kind: 'peer-closed',
  pairId,
  reason,
  attempt: 9,
});

function words(effect: PairEffect): string {
  switch (effect.kind) {
    case 'authenticate':
      return `authenticate ${effect.attempt.id} port ${effect.attempt.flow.servicePort} ${effect.attempt.purpose}${effect.replaces ? ` for ${effect.replaces}` : ''}`;
    case 'refuse':
      return `refuse ${effect.flow.servicePort} ${effect.reason}`;
    case 'forget':
      return `forget ${effect.flow.servicePort}`;
    case 'deny':
      return `deny ${effect.reason}`;
    case 'remove':
      return `remove ${effect.pair.number} ${effect.reason}`;
    case 'install':
      return `install ${effect.pair.number}`;
    case 'tell-closed':
      return `tell-closed ${effect.pair.number} ${effect.reason}`;
    default:
      throw new Error('unknown effect');
  }
}

type Row = readonly [string, PairState, PairEvent, PairView, PairState['kind'], readonly string[]];
const ROWS: readonly Row[] = [
  ['a first flow starts an exchange', idle, wanted(8443), ALLOWS, 'authenticating', ['authenticate 9 port 8443 flow']],
  ['the same flow again waits for it', asking, wanted(8443), ALLOWS, 'authenticating', []],
  ['another flow waits with it', asking, wanted(22), ALLOWS, 'authenticating', []],
  ['a flow that the pair covers is released', live, wanted(8500), ALLOWS, 'live', ['install 1']],
  ['a flow that it does not cover is asked for', live, wanted(22), ALLOWS, 'renewing', ['authenticate 9 port 22 flow for id-1']],
  ['but not if this side denies it', live, wanted(22), { ...ALLOWS, allows: () => false }, 'live', ['refuse 22 denied-by-policy']],
  [
    'a flow under a dead lease begins anew',
    live,
    wanted(8443),
    { ...ALLOWS, leaseLives: () => false },
    'authenticating',
    ['remove 1 lapsed', 'authenticate 9 port 8443 flow'],
  ],
  ['a flow of a workload that is gone is forgotten', closed, wanted(8443), ALLOWS, 'closed', ['forget 8443']],

  ['a proven pair is installed', asking, proven(P2, 7), ALLOWS, 'live', ['install 2']],
  ['in place of the one it renews', renewing, proven(P2, 7), ALLOWS, 'live', ['install 2']],
  [
    'after removing it if its server is another workload by now',
    renewing,
    proven(ofOthers(P2, { peer: 'spiffe://east.example/impostor' }), 7),
    ALLOWS,
    'live',
    ['remove 1 replaced', 'install 2'],
  ],
  [
    'after removing it if its lease has ended',
    renewing,
    proven(P2, 7),
    { ...ALLOWS, leaseLives: () => false },
    'live',
    ['remove 1 lapsed', 'install 2'],
  ],
  [
    'not if the view refuses it by now',
    asking,
    proven(P2, 7),
    DENIES,
    'idle',
    ['tell-closed 2 policy-changed', 'refuse 8443 denied-by-policy'],
  ],
  [
    'not if the peer has closed it by now',
    asking,
    proven(P2, 7),
    { ...ALLOWS, tombstoned: (id) => id === 'id-2' },
    'idle',
    ['forget 8443'],
  ],
  [
    'not if it has expired by now',
    asking,
    proven(pairNumber(2, {}, 'client', AT), 7),
    ALLOWS,
    'idle',
    ['tell-closed 2 bundle-changed', 'refuse 8443 svid-refused'],
  ],
  ['not if nobody waits for it', idle, proven(P2, 7), ALLOWS, 'idle', ['tell-closed 2 replaced']],
  ['not if another exchange is under way', asking, proven(P2, 6), ALLOWS, 'authenticating', ['tell-closed 2 replaced']],
  ['not if the workload is gone', closed, proven(P2, 7), ALLOWS, 'closed', ['tell-closed 2 endpoint-gone']],
  [
    'a waiting flow beyond it gets its own exchange',
    { ...asking, waiting: [flow(8001), flow(22)] },
    proven(P2, 7),
    ALLOWS,
    'renewing',
    ['install 2', 'authenticate 9 port 22 flow for id-2'],
  ],

  ['a peer’s pair is served', idle, proven(SERVER), ALLOWS, 'live', ['install 3']],
  ['and replaces an older one', serving, proven(pairNumber(4, {}, 'server')), ALLOWS, 'live', ['install 4']],
  [
    'but not in its epoch if its client is another workload by now',
    serving,
    proven(ofOthers(pairNumber(4, {}, 'server'), { peer: 'spiffe://east.example/impostor' })),
    ALLOWS,
    'live',
    ['remove 3 replaced', 'install 4'],
  ],
  [
    'nor if the local workload is',
    serving,
    proven(ofOthers(pairNumber(4, {}, 'server'), { local: 'spiffe://east.example/impostor' })),
    ALLOWS,
    'live',
    ['remove 3 replaced', 'install 4'],
  ],
  [
    'nor another instance of it',
    serving,
    proven(pairNumber(4, { endpoint: 2 as EndpointId }, 'server')),
    ALLOWS,
    'live',
    ['remove 3 replaced', 'install 4'],
  ],
  ['and is denied if the view refuses it by now', idle, proven(SERVER), DENIES, 'idle', ['deny denied-by-policy']],
  ['and is denied if the workload is gone', closed, proven(SERVER), ALLOWS, 'closed', ['deny no-such-workload']],

  ['a refused flow is answered', asking, refusedBy('denied-by-policy'), ALLOWS, 'idle', ['refuse 8443 denied-by-policy']],
  [
    'another port may fare better',
    { ...asking, waiting: [flow(22)] },
    refusedBy('denied-by-policy'),
    ALLOWS,
    'authenticating',
    ['refuse 8443 denied-by-policy', 'authenticate 9 port 22 flow'],
  ],
  [
    'but not if nobody is there',
    { ...asking, waiting: [flow(22)] },
    refusedBy('no-such-workload'),
    ALLOWS,
    'idle',
    ['refuse 8443 no-such-workload', 'refuse 22 no-such-workload'],
  ],
  ['a refused port leaves the pair', widening, refusedBy('denied-by-policy'), ALLOWS, 'live', ['refuse 22 denied-by-policy']],
  ['a renewal that failed in passing leaves the pair', renewing, refusedBy('session-lost'), ALLOWS, 'live', []],
  ['as one whose peer has restarted and has no SVID yet does', renewing, refusedBy('not-ready'), ALLOWS, 'live', []],
  [
    'a renewal that was refused ends it',
    renewing,
    refusedBy('not-placed'),
    ALLOWS,
    'idle',
    ['remove 1 policy-changed', 'tell-closed 1 policy-changed'],
  ],
  ['a refusal of an older exchange says nothing', asking, refusedBy('not-placed', 6), ALLOWS, 'authenticating', []],

  ['a peer closes a pair', live, told('id-1'), ALLOWS, 'idle', ['remove 1 policy-changed']],
  ['a peer closes a pair while it is renewed', renewing, told('id-1'), ALLOWS, 'authenticating', ['remove 1 policy-changed']],
  ['a peer closes another pair', live, told('id-2'), ALLOWS, 'live', []],
  [
    'a peer that has restarted makes the client prove it anew',
    live,
    told('id-1', 'unknown-pair'),
    ALLOWS,
    'renewing',
    ['authenticate 9 port 8443 renewal for id-1'],
  ],
  ['and the server wait for that', serving, told('id-3', 'unknown-pair'), ALLOWS, 'live', []],

  ['a view that still allows it changes nothing', live, { kind: 'view-changed' }, ALLOWS, 'live', []],
  [
    'a view that denies it closes it',
    live,
    { kind: 'view-changed' },
    DENIES,
    'idle',
    ['remove 1 policy-changed', 'tell-closed 1 policy-changed'],
  ],
  [
    'also while it is renewed',
    renewing,
    { kind: 'view-changed' },
    DENIES,
    'authenticating',
    ['remove 1 policy-changed', 'tell-closed 1 policy-changed'],
  ],
  [
    'a view that allows less narrows it',
    live,
    { kind: 'view-changed' },
    { ...ALLOWS, judge: () => ({ verdict: 'accepted', grants: [TCP(8443)] }) },
    'live',
    ['install 1'],
  ],

  ['a client renews', live, { kind: 'renew', attempt: 9 }, ALLOWS, 'renewing', ['authenticate 9 port 8443 renewal for id-1']],
  ['a server does not', serving, { kind: 'renew', attempt: 9 }, ALLOWS, 'live', []],
  ['the end of its session’s lease removes it', live, { kind: 'lapsed', session: 1 as SessionIndex }, ALLOWS, 'idle', ['remove 1 lapsed']],
  ['the end of another’s does not', live, { kind: 'lapsed', session: 2 as SessionIndex }, ALLOWS, 'live', []],
  [
    'its expiry removes it',
    { kind: 'live', pair: pairNumber(1, {}, 'client', AT) },
    { kind: 'expired' },
    ALLOWS,
    'idle',
    ['remove 1 expired'],
  ],
  ['before its expiry nothing does', live, { kind: 'expired' }, ALLOWS, 'live', []],
  [
    'a workload that is gone closes it',
    live,
    { kind: 'endpoint-gone' },
    ALLOWS,
    'closed',
    ['remove 1 endpoint-gone', 'tell-closed 1 endpoint-gone'],
  ],
];

describe('stepPair', () => {
  test.each(ROWS)('%s', (_name, state, event, view, after, effects) => {
    const step = stepPair(state, event, view, AT);
    expect([step.state.kind, step.effects.map(words)]).toEqual([after, effects]);
  });

  test('waiting flows are bounded', () => {
    let state: PairState = idle;
    for (let port = 1; port <= 66; port++) state = stepPair(state, wanted(port), ALLOWS, AT).state;
    expect(state.kind === 'authenticating' && state.waiting.length).toBe(64);
    expect(stepPair(state, wanted(99), ALLOWS, AT).effects.map(words)).toEqual(['forget 99']);
  });
});
