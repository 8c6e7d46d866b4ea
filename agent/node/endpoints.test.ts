import { describe, expect, test } from '@jest/globals';
import { parseIpAddress } from '#core/network/address';
import type { RegistrationEntry } from '#core/registration/entry';
import { nodeSpiffeId } from '#core/registration/node-id';
import { parseSpiffeId, parseTrustDomain } from '#core/spiffe/id';
import type { EndpointId } from '../datapath/contract.ts';
import type { AttestedInterface } from '../attestation/attestation.ts';
import { planEndpoints, type WorkloadEndpoint } from './endpoints.ts';

const east = parseTrustDomain('east.example');
const address = parseIpAddress('10.1.0.2');

function entry(name: string, enforcement?: RegistrationEntry['enforcement']): RegistrationEntry {
  return {
    id: `entry-${name}`,
    spiffeId: parseSpiffeId(`spiffe://east.example/${name}`),
    parentId: nodeSpiffeId(east, 'east-1'),
    selectors: [{ type: 'unix', value: 'uid:1001' }],
    addresses: [],
    federatesWith: [],
    x509SvidTtlSeconds: 0,
    dnsNames: [],
    hint: '',
    revision: 0n,
    ...(enforcement ? { enforcement } : {}),
  };
}

const found = (attestation: AttestedInterface['attestation'], namespace = 7n): AttestedInterface => ({
  interfaceIndex: 5,
  name: 'web0',
  instance: 0,
  namespace,
  addresses: [address],
  attestation,
});
const identity = (name: string, enforcement?: RegistrationEntry['enforcement']) =>
  found({ kind: 'identity', entry: entry(name, enforcement), addresses: [address] });

function plan(known: readonly WorkloadEndpoint[], interfaces: readonly AttestedInterface[], ready = true, claimed = false) {
  let next = 100;
  return planEndpoints({
    known,
    found: interfaces,
    defaultEnforcement: undefined,
    ready: () => ready,
    newEndpoint: () => next++ as EndpointId,
    claimed: () => claimed,
  });
}

describe('planEndpoints', () => {
  test.each([
    ['an identity is gated both ways by default', identity('web'), 'all'],
    ['an identity that says inbound', identity('web', 'inbound'), 'inbound'],
    ['an identity that says off is unmanaged', identity('web', 'off'), 'unmanaged'],
    ['nobody declared', found({ kind: 'unmanaged' }), 'unmanaged'],
    ['nobody there yet', found({ kind: 'pending' }), 'unattested'],
    ['several identities in one namespace', found({ kind: 'refused', reason: 'two identities' }), 'unattested'],
  ])('%s', (_, attested, gate) => {
    expect(plan([], [attested])).toMatchObject([{ endpoint: 100, gate }]);
  });

  test('an unmanaged workload does not get an address that another node may still take for somebody else’s', () => {
    expect(plan([], [found({ kind: 'unmanaged' })], true, true)).toMatchObject([
      { gate: 'unattested', problem: expect.stringContaining('address') },
    ]);
    // A managed one has to prove itself in any case.
    expect(plan([], [identity('web')], true, true)).toMatchObject([{ gate: 'all' }]);
  });

  test('without its SVID the workload waits', () => {
    expect(plan([], [identity('web')], false)).toMatchObject([{ gate: 'unattested', problem: expect.stringContaining('SVID') }]);
  });

  const [web] = plan([], [identity('web')]);
  const waits = { awaitsSvid: true, problem: expect.stringContaining('SVID') };
  test.each<[string, Partial<WorkloadEndpoint>, AttestedInterface, object]>([
    ['one that was gated stays so, and its live pairs with it', {}, identity('web'), { endpoint: 100, gate: 'all', ...waits }],
    ['as its entry says by now', {}, identity('web', 'inbound'), { endpoint: 100, gate: 'inbound', ...waits }],
    ['also while nobody runs in it', {}, found({ kind: 'pending' }), { endpoint: 100, gate: 'all', ...waits }],
    ['one that never had an SVID waits', { gate: 'unattested' }, identity('web'), { endpoint: 100, gate: 'unattested', ...waits }],
    ['one that was not managed waits', { gate: 'unmanaged' }, identity('web'), { endpoint: 100, gate: 'unattested', ...waits }],
    ['another identity in it waits', {}, identity('batch'), { endpoint: 100, gate: 'unattested', ...waits }],
    ['another namespace waits', {}, { ...identity('web'), namespace: 8n }, { endpoint: 100, gate: 'unattested', ...waits }],
  ])('an agent that comes after another has no SVIDs yet: %s', (_, change, attested, expected) => {
    expect(plan(web ? [{ ...web, ...change }] : [], [attested], false)).toMatchObject([expected]);
  });

  test('with its SVID it waits no longer', () => {
    const [kept] = plan(web ? [web] : [], [identity('web')], false);
    const [ready] = plan(kept ? [kept] : [], [identity('web')]);
    expect(ready).toEqual(web);
  });

  test.each([
    ['the same again keeps its endpoint', identity('web'), 100],
    ['a restart of the process keeps it', found({ kind: 'pending' }), 100],
    ['another identity in the namespace is another endpoint', identity('batch'), 101],
    ['an undeclared process in it is another endpoint', found({ kind: 'unmanaged' }), 101],
    ['another namespace behind the same interface number is another endpoint', { ...identity('web'), namespace: 8n }, 101],
    ['another interface with the same number is another endpoint', { ...identity('web'), instance: 1 }, 101],
  ])('%s', (_, attested, endpoint) => {
    let next = 101;
    const planned = planEndpoints({
      known: web ? [web] : [],
      found: [attested],
      defaultEnforcement: undefined,
      ready: () => true,
      newEndpoint: () => next++ as EndpointId,
      claimed: () => false,
    });
    expect(planned).toMatchObject([{ endpoint }]);
  });

  test('a workload that waited unattested keeps its endpoint when it is attested, so that its first packet goes on', () => {
    const waiting = plan([], [found({ kind: 'pending' }, 0n)]);
    expect(plan(waiting, [identity('web')])).toMatchObject([{ endpoint: waiting[0]?.endpoint, gate: 'all' }]);
  });

  test('an agent that has just started knows a workload again by its namespace', () => {
    const before: WorkloadEndpoint[] = web ? [{ ...web }] : [];
    for (const endpoint of before) delete (endpoint as { instance?: number }).instance;
    expect(plan(before, [identity('web')])).toMatchObject([{ endpoint: 100 }]);
    expect(
      planEndpoints({
        known: before,
        found: [{ ...identity('web'), namespace: 0n }],
        defaultEnforcement: undefined,
        ready: () => true,
        newEndpoint: () => 101 as EndpointId,
        claimed: () => false,
      }),
    ).toMatchObject([{ endpoint: 101 }]);
  });
});
