import { expect, test } from '@jest/globals';
import { parseIpAddress } from '#core/network/address';
import type { EndpointId, FoundPair, SessionIndex } from '../datapath/contract.ts';
import { claimOf } from '../pair/ends.ts';
import type { PairStatus } from '../pair/manager.ts';
import { INHERITED_NS, InheritedClaims } from './inherited-claims.ts';

const remote = parseIpAddress('10.2.0.2');
const web = { role: 'client', local: parseIpAddress('10.1.0.2'), remote } as const;
const batch = { role: 'server', local: parseIpAddress('10.1.0.3'), remote } as const;
const [WEB, BATCH] = [claimOf(web), claimOf(batch)];
const rest = { pair: 1, realm: 0, endpoint: 1 as EndpointId, grants: [], session: 1 as SessionIndex, notAfterBootNs: 0n } as const;
const found: readonly FoundPair[] = [{ spec: { ...rest, ...web }, epoch: 1 }];
const END = 100n + INHERITED_NS;

test.each<[string, readonly FoundPair[], Readonly<Record<string, bigint>>, Readonly<Record<string, bigint>>]>([
  ['pairs that were found', found, {}, { [WEB]: END }],
  ['what an earlier agent knew', [], { [BATCH]: 105n }, { [BATCH]: 105n }],
  ['both', found, { [BATCH]: 105n }, { [BATCH]: 105n, [WEB]: END }],
  ['the same, for the longer time', found, { [WEB]: 105n }, { [WEB]: END }],
  ['times of before the machine began anew: from now', [], { [BATCH]: END + 1n }, { [BATCH]: END }],
  ['what is over: none', [], { [BATCH]: 100n }, {}],
])('claims of %s', (_, pairs, saved, expected) => {
  const inherited = new InheritedClaims(pairs, new Map(Object.entries(saved)), 100n);
  const claims = new Map(Object.entries(expected));
  expect(inherited.claims(100n)).toEqual(claims);
  for (const { local } of [web, batch]) {
    const until = claims.get(local === web.local ? WEB : BATCH);
    const times = until === undefined ? [100n] : [100n, until - 1n, until];
    expect(times.map((now) => inherited.has(local.text, now))).toEqual(times.map((now) => until !== undefined && now < until));
  }
});

test('what is proven anew is not claimed by an earlier agent’s pair', () => {
  const inherited = new InheritedClaims(found, new Map([[BATCH, 105n]]), 100n);
  const flow = { source: remote, destination: batch.local };
  inherited.provenAnew([{ pair: { proven: { role: 'server', flow } } } as unknown as PairStatus]);
  expect(inherited.claims(100n)).toEqual(new Map([[WEB, END]]));
});
