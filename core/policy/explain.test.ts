import { describe, expect, test } from '@jest/globals';
import { nodeSpiffeId } from '#core/registration/node-id';
import { parseSpiffeId, parseTrustDomain } from '#core/spiffe/id';
import { compile } from './compile.ts';
import { type ExplainedEnd, explain, type Question } from './explain.ts';
import { type AuthPolicyInput, parseAuthPolicy } from './parse.ts';
import { parseTraffic } from './traffic.ts';

const EAST = parseTrustDomain('east.example');

function end(name: string, change: Partial<ExplainedEnd> = {}): ExplainedEnd {
  const id = parseSpiffeId(`spiffe://east.example/${name}`);
  return { label: name, id, node: nodeSpiffeId(EAST, `node-of-${name}`), enforcement: 'all', inDirectory: true, ...change };
}

function undeclared(label: string): ExplainedEnd {
  return { label, enforcement: 'off', inDirectory: true };
}

function policies(...inputs: readonly Partial<AuthPolicyInput>[]): ReturnType<typeof compile> {
  return compile(
    inputs.map((input) =>
      parseAuthPolicy({
        name: 'web-to-payments',
        trustDomain: 'east.example',
        sources: { spiffeIds: ['spiffe://east.example/web'] },
        destinations: { spiffeIds: ['spiffe://east.example/payments'] },
        traffic: ['tcp/8443', 'icmp'],
        ...input,
      }),
    ),
  );
}

function ask(change: Partial<Question>, ...inputs: readonly Partial<AuthPolicyInput>[]): ReturnType<typeof explain> {
  const p = policies(...inputs);
  const question = { source: end('web'), destination: end('payments'), traffic: parseTraffic('tcp/8443'), family: 4 as const };
  return explain({ ...question, egress: p, ingress: p, ...change });
}

describe('explain', () => {
  test('names the deciding policy and the enforcing node on each side', () => {
    const answer = ask({}, {});
    expect(answer).toMatchObject({ verdict: 'allowed', authenticates: true, missing: [] });
    expect(answer.sides.map(({ side, node, decision }) => [side, node, decision.rule])).toEqual([
      ['egress', 'spiffe://east.example/symbolon/node/node-of-web', 'web-to-payments'],
      ['ingress', 'spiffe://east.example/symbolon/node/node-of-payments', 'web-to-payments'],
    ]);
  });

  test('answers for ICMP in either family', () => {
    for (const family of [4, 6] as const) expect(ask({ traffic: parseTraffic('icmp'), family }, {}).verdict).toBe('allowed');
  });

  test('names the side that lacks a policy', () => {
    const { missing, authenticates } = ask({}, { side: 'egress' });
    expect(authenticates).toBe(true);
    expect(missing).toEqual(["a policy in east.example that allows tcp/8443 from web to payments (ingress, at the destination's node)"]);
  });

  test('names the policy that denies', () => {
    const { verdict, missing } = ask({}, {}, { name: 'closed', action: 'deny', side: 'ingress' });
    expect(verdict).toBe('refused');
    expect(missing).toEqual(['policy closed denies it (ingress); a deny wins over every allow']);
  });

  test.each<[string, Partial<Question>, RegExp]>([
    ['an undeclared source', { source: undeclared('10.3.0.9') }, /^an identity for 10\.3\.0\.9/],
    ['an undeclared destination', { destination: undeclared('10.3.0.9') }, /^an identity for 10\.3\.0\.9/],
    ['enforcement that is off at the source', { source: end('web', { enforcement: 'off' }) }, /^enforcement for .*\/web/],
    [
      'an address in no directory',
      { destination: end('payments', { inDirectory: false }) },
      /^an address of .*\/payments in the node directory/,
    ],
  ])('refuses %s although a policy allows it', (_, change, why) => {
    const { verdict, authenticates, missing } = ask(change, {});
    expect({ verdict, authenticates }).toEqual({ verdict: 'refused', authenticates: false });
    expect(missing).toEqual([expect.stringMatching(why)]);
  });

  test('says that an identity without a node cannot be proven', () => {
    const { node: _, ...homeless } = end('web');
    expect(ask({ source: homeless }, {}).missing).toEqual([expect.stringMatching(/^a node for .*\/web/)]);
  });

  test('says that two trust domains need a federation', () => {
    const west = end('ledger', { id: parseSpiffeId('spiffe://west.example/ledger') });
    expect(ask({ destination: west }, { destinations: { trustDomains: ['west.example'] } })).toMatchObject({
      verdict: 'refused',
      authenticates: false,
      missing: [expect.stringContaining('a federation of east.example with west.example')],
    });
  });

  test('two unmanaged ends are free', () => {
    expect(ask({ source: undeclared('a'), destination: undeclared('b') }, {})).toEqual({
      verdict: 'free',
      authenticates: false,
      sides: [],
      missing: [],
    });
  });

  test.each<[string, Partial<Question>]>([
    [
      'an inbound source towards an address of no node',
      { source: end('web', { enforcement: 'inbound' }), destination: { ...undeclared('192.0.2.99'), inDirectory: false } },
    ],
    [
      'an address of no node towards an end whose enforcement is off',
      { source: { ...undeclared('192.0.2.99'), inDirectory: false }, destination: end('payments', { enforcement: 'off' }) },
    ],
  ])('%s is free', (_, change) => {
    expect(ask(change)).toEqual({ verdict: 'free', authenticates: false, sides: [], missing: [] });
  });

  test('an inbound source towards an address of a node is not', () => {
    expect(ask({ source: end('web', { enforcement: 'inbound' }), destination: undeclared('10.3.0.9') })).toMatchObject({
      verdict: 'refused',
    });
  });

  test.each(['any', 'tcp/1-2'])('refuses to explain %s as a whole', (traffic) => {
    expect(() => ask({ traffic: parseTraffic(traffic) }, {})).toThrow('ask about one port');
  });
});
