import { describe, expect, jest, test } from '@jest/globals';
import { parseIpAddress } from '#core/network/address';
import { type Flow, parsePort, parseProtocol } from '#core/network/flow';
import { parseSpiffeId } from '#core/spiffe/id';
import { compile } from './compile.ts';
import { decide, mayEverAllow } from './decide.ts';
import type { Party } from './model.ts';
import { type AuthPolicyInput, parseAuthPolicy } from './parse.ts';

const id = (path: string, domain = 'east.example'): string => `spiffe://${domain}${path}`;
const party = (path: string, domain?: string): Party => ({ kind: 'workload', id: parseSpiffeId(id(path, domain)) });

function flow(protocol: number, port?: number, family: 4 | 6 = 4): Flow {
  const [source, destination] = family === 4 ? ['10.1.0.2', '10.2.0.2'] : ['fd01::2', 'fd02::2'];
  const base = { source: parseIpAddress(source), destination: parseIpAddress(destination), protocol: parseProtocol(protocol) };
  return port === undefined ? base : { ...base, servicePort: parsePort(port) };
}

function policies(...inputs: readonly Partial<AuthPolicyInput>[]): ReturnType<typeof compile> {
  const defaults = {
    trustDomain: 'east.example',
    sources: { spiffeIds: [id('/web')] },
    destinations: { spiffeIds: [id('/payments')] },
    traffic: ['tcp/8443'],
  };
  return compile(inputs.map((input, i) => parseAuthPolicy({ name: `p${i}`, ...defaults, ...input })));
}

const web = party('/web');
const payments = party('/payments');

describe('decide', () => {
  test('denies by default, and names no rule', () => {
    expect(decide(policies(), 'egress', web, payments, flow(6, 8443))).toEqual({ verdict: 'deny' });
  });

  test('names the allowing policy and grants all that it allows between the two', () => {
    const p = policies({ name: 'web-to-payments', traffic: ['tcp/8443', 'udp/5353', 'icmp', 'protocol/132'] });
    expect(decide(p, 'ingress', web, payments, flow(6, 8443))).toEqual({
      verdict: 'allow',
      rule: 'web-to-payments',
      protection: 'authenticated',
      grants: [
        { protocol: 1, lowPort: 0, highPort: 65_535 },
        { protocol: 6, lowPort: 8443, highPort: 8443 },
        { protocol: 17, lowPort: 5353, highPort: 5353 },
        { protocol: 132, lowPort: 0, highPort: 65_535 },
      ],
    });
  });

  test('says nothing about the reverse direction', () => {
    expect(decide(policies({}), 'ingress', payments, web, flow(6, 8443)).verdict).toBe('deny');
  });

  test('a deny wins over an allow and takes its ports out of the grants', () => {
    const p = policies(
      { name: 'allow', traffic: ['tcp/8000-9000'] },
      { name: 'deny', action: 'deny', traffic: ['tcp/8443-8500', 'udp/1'] },
    );
    expect(decide(p, 'egress', web, payments, flow(6, 8443))).toEqual({ verdict: 'deny', rule: 'deny' });
    expect(decide(p, 'egress', web, payments, flow(6, 8000))).toMatchObject({
      grants: [
        { protocol: 6, lowPort: 8000, highPort: 8442 },
        { protocol: 6, lowPort: 8501, highPort: 9000 },
      ],
    });
  });

  test.each(['allow', 'deny'])('of several that %s it names the first by name', (action) => {
    const p = policies({ name: 'b', action }, { name: 'a', action }, { name: 'c', action }, { name: 'A' });
    expect(decide(p, 'egress', web, payments, flow(6, 8443))).toMatchObject({ verdict: action, rule: action === 'allow' ? 'A' : 'a' });
  });

  test('merges neighbouring and overlapping ranges of several policies', () => {
    const p = policies({ traffic: ['tcp/10-20', 'tcp/21'] }, { traffic: ['tcp/15-30'] }, { traffic: ['tcp/40'] });
    expect(decide(p, 'egress', web, payments, flow(6, 10))).toMatchObject({
      grants: [
        { protocol: 6, lowPort: 10, highPort: 30 },
        { protocol: 6, lowPort: 40, highPort: 40 },
      ],
    });
  });

  test.each([
    ['any over TCP', 6, 80, 4, [1, 6, 17]],
    ['any over SCTP', 132, undefined, 4, [1, 6, 17, 132]],
    ['any over IPv6', 6, 80, 6, [6, 17, 58]],
  ] as const)('%s grants TCP, UDP, the family’s ICMP and what was asked', (_, protocol, port, family, granted) => {
    const decision = decide(policies({ traffic: ['any'] }), 'egress', web, payments, flow(protocol, port, family));
    expect(decision.verdict === 'allow' && decision.grants.map((grant) => grant.protocol)).toEqual(granted);
  });

  test.each([
    ['icmp', 1, 4, 'allow'],
    ['icmp', 58, 6, 'allow'],
    ['icmp', 58, 4, 'deny'],
    ['icmp', 1, 6, 'deny'],
  ] as const)('%s means the ICMP of the flow’s family: protocol %s over IPv%s', (traffic, protocol, family, verdict) => {
    expect(decide(policies({ traffic: [traffic] }), 'egress', web, payments, flow(protocol, undefined, family)).verdict).toBe(verdict);
  });

  test('refuses a TCP flow without a port even where everything is allowed', () => {
    expect(decide(policies({ traffic: ['any'] }), 'egress', web, payments, flow(6)).verdict).toBe('deny');
  });

  test.each([
    ['both', 'egress', 'allow'],
    ['both', 'ingress', 'allow'],
    ['egress', 'egress', 'allow'],
    ['egress', 'ingress', 'deny'],
    ['ingress', 'ingress', 'allow'],
    ['ingress', 'egress', 'deny'],
  ] as const)('a policy of side %s asked on %s: %s', (side, asked, verdict) => {
    expect(decide(policies({ side }), asked, web, payments, flow(6, 8443)).verdict).toBe(verdict);
  });

  test.each([
    ['/ns/pay', '/ns/pay', 'allow'],
    ['/ns/pay', '/ns/pay/api', 'allow'],
    ['/ns/pay', '/ns/payments', 'deny'],
    ['/ns/pay', '/ns', 'deny'],
    ['/ns/pay', '/pay', 'deny'],
    ['/ns', '/ns/pay/api', 'allow'],
  ])('the path prefix %s and the workload %s: %s', (prefix, path, verdict) => {
    const p = policies({ sources: { pathPrefixes: [id(prefix)] } });
    expect(decide(p, 'ingress', party(path), payments, flow(6, 8443)).verdict).toBe(verdict);
  });

  test('a path prefix and a trust domain name their own domain only', () => {
    const byPath = policies({ sources: { pathPrefixes: [id('/web')] } });
    const byDomain = policies({ sources: { trustDomains: ['east.example'] } });
    for (const p of [byPath, byDomain]) {
      expect(decide(p, 'ingress', web, payments, flow(6, 8443)).verdict).toBe('allow');
      expect(decide(p, 'ingress', party('/web', 'east.example.evil'), payments, flow(6, 8443)).verdict).toBe('deny');
    }
  });

  test('the system’s own IDs are no workloads, whatever a policy says about their domain', () => {
    const p = policies({ sources: { trustDomains: ['east.example'] }, traffic: ['any'] });
    expect(decide(p, 'ingress', party('/symbolon/node/east-1'), payments, flow(6, 8443)).verdict).toBe('deny');
  });

  test('a peer without identity is denied', () => {
    const p = policies({ sources: { trustDomains: ['east.example'] }, traffic: ['any'] });
    expect(decide(p, 'ingress', { kind: 'address', address: parseIpAddress('10.1.0.2') }, payments, flow(6, 8443)).verdict).toBe('deny');
  });

  test('looks at none of a thousand policies but those that name a party', () => {
    const many = Array.from({ length: 1000 }, (_, i) => ({
      name: `p${i}`,
      sources: { spiffeIds: [id(`/client-${i}`)], trustDomains: ['west.example'] },
      destinations: { spiffeIds: [id(`/server-${i}`)] },
      traffic: [`tcp/${i + 1}`],
    }));
    const p = policies(...many);
    for (let i = 0; i < 1000; i++)
      expect(decide(p, 'egress', party(`/client-${i}`), party(`/server-${i}`), flow(6, i + 1))).toMatchObject({ rule: `p${i}` });
    const looks = jest.spyOn(Set.prototype, 'has');
    try {
      decide(p, 'egress', party('/client-7'), party('/server-7'), flow(6, 8));
      expect(looks.mock.calls.length).toBeLessThan(20);
    } finally {
      looks.mockRestore();
    }
  });
});

describe('mayEverAllow', () => {
  test.each([
    ['a named destination', [{}], '/web', 8443, true],
    ['another port', [{}], '/web', 80, false],
    ['another source', [{}], '/batch', 8443, false],
    ['only an ingress row', [{ side: 'ingress' }], '/web', 8443, false],
    ['the only destination is denied', [{}, { action: 'deny' }], '/web', 8443, false],
    [
      'the destination’s whole domain is denied',
      [{}, { action: 'deny', destinations: { trustDomains: ['east.example'] } }],
      '/web',
      8443,
      false,
    ],
    [
      'a part of the allowed prefix is denied',
      [{ destinations: { pathPrefixes: [id('/a')] } }, { action: 'deny', destinations: { pathPrefixes: [id('/a/b')] } }],
      '/web',
      8443,
      true,
    ],
    [
      'a prefix above the allowed one is denied',
      [{ destinations: { pathPrefixes: [id('/a/b')] } }, { action: 'deny', destinations: { pathPrefixes: [id('/a')] } }],
      '/web',
      8443,
      false,
    ],
    ['the deny is about other traffic', [{}, { action: 'deny', traffic: ['udp/8443'] }], '/web', 8443, true],
  ] as const)('%s', (_, inputs, source, port, expected) => {
    expect(mayEverAllow(policies(...(inputs as readonly Partial<AuthPolicyInput>[])), 'egress', party(source), flow(6, port))).toBe(
      expected,
    );
  });

  test('on ingress it asks about the destination', () => {
    expect(mayEverAllow(policies({}), 'ingress', payments, flow(6, 8443))).toBe(true);
    expect(mayEverAllow(policies({}), 'ingress', web, flow(6, 8443))).toBe(false);
  });
});
