import { describe, expect, test } from '@jest/globals';
import { Enforcement } from '#proto/gen/symbolon/authority/types';
import type { TextRule } from '../plugin/schema/attribute.ts';
import { Unknown } from '../plugin/values/unknown.ts';
import { ADDRESS, ADDRESS_PREFIX, ENDPOINT, HOST_AND_PORT } from './address.ts';
import { DNS_NAME } from './dns-name.ts';
import { SECONDS, TIMEOUT } from './duration.ts';
import { ENFORCEMENT, enforcementFromMessage, enforcementToMessage } from './enforcement.ts';
import { NODE_NAME } from './node-name.ts';
import { NOT_EMPTY } from './not-empty.ts';
import { oneOf } from './one-of.ts';
import { secondsFromMessage, secondsToMessage } from './seconds.ts';
import { SELECTOR } from './selector.ts';
import { knownTrustDomain, NODE_ID, WORKLOAD_ID } from './spiffe-id.ts';
import { TRAFFIC } from './traffic.ts';
import { TRUST_DOMAIN } from './trust-domain.ts';

interface Row {
  readonly name: string;
  readonly rule: TextRule;
  readonly accepted: readonly string[];
  readonly refused: readonly string[];
}
const NODE = 'spiffe://a.example/symbolon/node/n';
const ROWS: readonly Row[] = [
  {
    name: 'TRUST_DOMAIN',
    rule: TRUST_DOMAIN,
    accepted: ['a.example', 'a_b-1'],
    refused: ['', 'A.example', 'a.example/x', 'spiffe://a.example', 'a:1'],
  },
  {
    name: 'WORKLOAD_ID',
    rule: WORKLOAD_ID,
    accepted: ['spiffe://a.example/x', 'spiffe://a.example/symbolonic'],
    refused: [
      '',
      'http://a/x',
      'spiffe://a.example',
      'spiffe://a.example/',
      'spiffe://a.example//x',
      'spiffe://a.example/..',
      NODE,
      'spiffe://a.example/symbolon',
    ],
  },
  {
    name: 'NODE_ID',
    rule: NODE_ID,
    accepted: [NODE],
    refused: ['spiffe://a.example/n', 'spiffe://a.example/symbolon/node', `${NODE}/x`, 'spiffe://a.example/symbolon/admin/n'],
  },
  { name: 'NODE_NAME', rule: NODE_NAME, accepted: ['n', 'east-1', 'a.b_c'], refused: ['', '.', 'a/b', 'a b', 'x'.repeat(64)] },
  {
    name: 'ADDRESS',
    rule: ADDRESS,
    accepted: ['10.0.0.1', '2001:DB8::1'],
    refused: ['', '10.0.0', '10.0.0.256', '10.0.0.1/32', 'fe80::1%eth0'],
  },
  {
    name: 'ADDRESS_PREFIX',
    rule: ADDRESS_PREFIX,
    accepted: ['10.0.0.0/8', '10.0.0.1', '2001:DB8::/32', '0.0.0.0/0'],
    refused: ['', '10.0.0.1/8', '10.0.0.0/33', '10.0.0.0/-1', '/8'],
  },
  {
    name: 'ENDPOINT',
    rule: ENDPOINT,
    accepted: ['192.0.2.1:7420', '[2001:db8::1]:1'],
    refused: ['192.0.2.1', '192.0.2.1:0', '192.0.2.1:65536', '2001:db8::1:7420', 'host:7420', '[192.0.2.1:7420'],
  },
  {
    name: 'HOST_AND_PORT',
    rule: HOST_AND_PORT,
    accepted: ['authority.example:7400', '192.0.2.1:7400', '[2001:db8::1]:7400'],
    refused: ['authority.example', ':7400', '192.0.2:7400', 'a b:1', 'http://a:1'],
  },
  {
    name: 'SELECTOR',
    rule: SELECTOR,
    accepted: ['unix:uid:1001', 'cgroup:path:/a'],
    refused: ['', 'unix', 'unix:', ':uid', 'unix:uid:01', 'k8s:ns:x'],
  },
  { name: 'NOT_EMPTY', rule: NOT_EMPTY, accepted: ['/run/x.sock'], refused: ['', ' '] },
  {
    name: 'TRAFFIC',
    rule: TRAFFIC,
    accepted: ['tcp/1', 'udp/5000-5100', 'icmp', 'any', 'protocol/132'],
    refused: ['', 'tcp', 'tcp/0', 'tcp/65536', 'tcp/2-1', 'icmp/1', 'protocol/256', 'sctp/1'],
  },
  { name: 'SECONDS', rule: SECONDS, accepted: ['1s', '1h30m', '60m', '8784h'], refused: ['', '1', '0s', '500ms', '-1s', '8785h', '1 h'] },
  { name: 'TIMEOUT', rule: TIMEOUT, accepted: ['0s', '250ms', '1h'], refused: ['', 'soon', '61m'] },
  {
    name: 'DNS_NAME',
    rule: DNS_NAME,
    accepted: ['web', 'web.a.example', '*.a.example'],
    refused: ['', 'Web', 'a..b', '-a', 'a_b', 'a.*.b', `${'a'.repeat(64)}.b`],
  },
  { name: 'ENFORCEMENT', rule: ENFORCEMENT, accepted: ['off', 'inbound', 'all'], refused: ['', 'on', 'ALL'] },
];

describe.each(ROWS)('$name', ({ rule, accepted, refused }) => {
  test.each(accepted)('accepts %j', (text) => expect(() => rule.check(text)).not.toThrow());
  test.each(refused)('refuses %j', (text) => expect(() => rule.check(text)).toThrow());
});

describe('beginnings of texts that are not known yet', () => {
  test.each<[string, TextRule, string, boolean]>([
    ['WORKLOAD_ID', WORKLOAD_ID, '', true],
    ['WORKLOAD_ID', WORKLOAD_ID, 'spif', true],
    ['WORKLOAD_ID', WORKLOAD_ID, 'spiffe://', true],
    ['WORKLOAD_ID', WORKLOAD_ID, 'spiffe://a.ex', true],
    ['WORKLOAD_ID', WORKLOAD_ID, 'spiffe://a.example/ns/', true],
    ['WORKLOAD_ID', WORKLOAD_ID, 'http', false],
    ['WORKLOAD_ID', WORKLOAD_ID, 'spiffe://A.example/', false],
    ['WORKLOAD_ID', WORKLOAD_ID, 'spiffe:///x', false],
    ['WORKLOAD_ID', WORKLOAD_ID, 'spiffe://a.example/a b/', false],
    ['WORKLOAD_ID', WORKLOAD_ID, 'spiffe://a.example//', false],
    ['TRUST_DOMAIN', TRUST_DOMAIN, 'a.ex', true],
    ['TRUST_DOMAIN', TRUST_DOMAIN, 'spiffe://', false],
  ])('%s: %s%j is right: %s', (_name, rule, prefix, right) => {
    const check = expect(() => rule.checkPrefix?.(prefix));
    if (right) check.not.toThrow();
    else check.toThrow();
  });
});

test('the trust domain is known as soon as the text has passed it', () => {
  expect(knownTrustDomain('spiffe://a.example/x')).toBe('a.example');
  expect(knownTrustDomain(new Unknown({ prefix: 'spiffe://a.example/ns/' }))).toBe('a.example');
  expect(knownTrustDomain(new Unknown({ prefix: 'spiffe://a.example' }))).toBeUndefined();
  expect(knownTrustDomain(new Unknown())).toBeUndefined();
  expect(knownTrustDomain('nonsense')).toBeUndefined();
});

test.each<[TextRule, string, string, boolean]>([
  [ADDRESS, '2001:DB8:0::1', '2001:db8::1', true],
  [ADDRESS_PREFIX, '10.0.0.1', '10.0.0.1/32', true],
  [ADDRESS_PREFIX, '10.0.0.0/8', '10.0.0.0/9', false],
  [ENDPOINT, '[2001:DB8::1]:1', '[2001:db8::1]:1', true],
  [TRAFFIC, 'tcp/8443-8443', 'tcp/8443', true],
  [TRAFFIC, 'tcp/8443', 'udp/8443', false],
  [TRAFFIC, 'any', 'icmp', false],
  [SECONDS, '60m', '1h', true],
  [SECONDS, '1m', '1h', false],
])('two spellings mean the same (%#)', (rule, a, b, same) => {
  expect(rule.canonical?.(a) === rule.canonical?.(b)).toBe(same);
});

test('words that come later are told from unknown ones', () => {
  const rule = oneOf(['enforce'], ['enforce', 'audit']);
  expect(() => rule.check('audit')).toThrow('"audit" is not supported yet; expected "enforce"');
  expect(() => rule.check('observe')).toThrow('"observe" is none of the known words; expected "enforce"');
});

test('durations and enforcement survive the way to the authority and back', () => {
  expect([secondsToMessage(null), secondsToMessage('90m'), secondsFromMessage(5400), secondsFromMessage(0)]).toEqual([
    0,
    5400,
    '1h30m',
    null,
  ]);
  for (const word of ['off', 'inbound', 'all', null]) expect(enforcementFromMessage(enforcementToMessage(word))).toBe(word);
  expect(() => enforcementFromMessage(Enforcement.UNRECOGNIZED)).toThrow(
    'enforcement -1 is unknown; this provider is older than the authority',
  );
});
