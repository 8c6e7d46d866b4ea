import { describe, expect, test } from '@jest/globals';
import { SymbolonError } from '#core/errors/error';
import { type AuthPolicyInput, parseAuthPolicy } from './parse.ts';

const VALID: AuthPolicyInput = {
  trustDomain: 'east.example',
  name: 'web-to-payments',
  sources: { spiffeIds: ['spiffe://east.example/web'] },
  destinations: { pathPrefixes: ['spiffe://east.example/payments'], trustDomains: ['west.example'] },
  traffic: ['tcp/8443'],
};

function refusal(change: Partial<AuthPolicyInput>): { code: string; path: unknown; message: string } {
  try {
    parseAuthPolicy({ ...VALID, ...change });
  } catch (error) {
    if (error instanceof SymbolonError)
      return { code: error.code, path: 'path' in error.context && error.context.path, message: error.message };
  }
  throw new Error('the policy was accepted');
}

describe('parseAuthPolicy', () => {
  test('fills in the defaults, also for empty texts', () => {
    const defaults = { side: 'both', action: 'allow', mode: 'enforce', protection: 'authenticated', realm: 0, id: '' };
    expect(parseAuthPolicy(VALID)).toMatchObject(defaults);
    expect(parseAuthPolicy({ ...VALID, side: '', action: '', mode: '', protection: '' })).toMatchObject(defaults);
  });

  test.each<[string, Partial<AuthPolicyInput>]>([
    ['trust_domain', { trustDomain: 'East' }],
    ['name', { name: '' }],
    ['name', { name: 'a/b' }],
    ['name', { name: '-a' }],
    ['name', { name: 'a'.repeat(129) }],
    ['sources', { sources: {} }],
    ['destinations', { destinations: { spiffeIds: [] } }],
    ['sources.spiffe_ids[1]', { sources: { spiffeIds: ['spiffe://a.example/x', 'web'] } }],
    ['sources.spiffe_ids[0]', { sources: { spiffeIds: ['spiffe://a.example'] } }],
    ['sources.spiffe_ids[0]', { sources: { spiffeIds: ['spiffe://a.example/symbolon/node/n'] } }],
    ['destinations.path_prefixes[0]', { destinations: { pathPrefixes: ['spiffe://a.example/x/'] } }],
    ['destinations.path_prefixes[0]', { destinations: { pathPrefixes: ['spiffe://a.example/symbolon'] } }],
    ['destinations.trust_domains[0]', { destinations: { trustDomains: ['spiffe://a.example'] } }],
    ['sources.address_prefixes[0]', { sources: { addressPrefixes: ['10.0.0.1/8'] } }],
    ['traffic', { traffic: [] }],
    ['traffic[1]', { traffic: ['tcp/1', 'tcp/0'] }],
    ['side', { side: 'Egress' }],
    ['action', { action: 'permit' }],
    ['mode', { mode: 'off' }],
    ['protection', { protection: 'none' }],
    ['via', { via: 'gateway' }],
  ])('refuses a bad %s: %j', (path, change) => {
    expect(refusal(change)).toMatchObject({ code: 'POLICY_INVALID', path });
    expect(refusal(change).message.startsWith(`${path}: `)).toBe(true);
  });

  test.each<[string, Partial<AuthPolicyInput>]>([
    ['mode', { mode: 'audit' }],
    ['protection', { protection: 'encrypted' }],
    ['protection', { protection: 'integrity' }],
    ['sources.address_prefixes[0]', { sources: { addressPrefixes: ['10.0.0.0/8'] } }],
    ['destinations.address_prefixes[0]', { destinations: { addressPrefixes: ['2001:db8::/32'] } }],
    ['execution', { execution: { binarySha256: [] } }],
    ['realm', { realm: 1 }],
    ['via', { via: 'spiffe://east.example/gateway' }],
  ])('says that %s is not yet supported: %j', (path, change) => {
    expect(refusal(change)).toMatchObject({ code: 'POLICY_NOT_YET', path });
    expect(refusal(change).message).toContain('not yet supported');
  });
});
