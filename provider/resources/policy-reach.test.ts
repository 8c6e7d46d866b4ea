import { expect, test } from '@jest/globals';
import { parseTrustDomain } from '#core/spiffe/id';
import { Unknown } from '../plugin/values/unknown.ts';
import { unreachedEnds } from './policy-reach.ts';

const EAST = parseTrustDomain('east.example');
const ids = (...members: readonly unknown[]) => ({ spiffe_ids: members, path_prefixes: null, trust_domains: null });
const east = ids('spiffe://east.example/web');
const west = ids('spiffe://west.example/web');
const both = ['sources', 'destinations'];

test.each<[string, unknown, unknown, unknown, readonly string[]]>([
  ['both ends elsewhere', west, west, null, both],
  ['both ends elsewhere, said', west, west, 'both', both],
  ['a source here', east, west, null, []],
  ['a destination here', west, east, 'both', []],
  ['only the end that is not asked for', west, east, 'egress', ['sources']],
  ['likewise', east, west, 'ingress', ['destinations']],
  ['the end that is asked for', east, west, 'egress', []],
  ['a side that is not known yet', west, west, new Unknown(), []],
  ['an end that is not known yet', new Unknown(), west, null, []],
  ['a set that is not known yet', { ...west, trust_domains: new Unknown() }, west, null, []],
  ['a member that is not known yet', ids(new Unknown()), west, null, []],
  ['a member whose beginning is known', ids(new Unknown({ prefix: 'spiffe://west.example/' })), west, null, both],
  ['a whole trust domain', { ...west, trust_domains: ['east.example'] }, west, null, []],
  ['a whole other one', { spiffe_ids: null, path_prefixes: null, trust_domains: ['west.example'] }, west, null, both],
  ['a prefix', { spiffe_ids: null, path_prefixes: ['spiffe://east.example/shop'], trust_domains: [] }, west, null, []],
])('%s', (_, sources, destinations, side, unreached) => {
  expect(unreachedEnds({ sources, destinations, side }, EAST)).toEqual(unreached);
});
