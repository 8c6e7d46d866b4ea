import { beforeAll, describe, expect, test } from '@jest/globals';
import { parseIpAddress } from '#core/network/address';
import { nodeSpiffeId } from '#core/registration/node-id';
import { parseTrustDomain } from '#core/spiffe/id';
import { TestCa } from '#core/spiffe/testing/ca';
import { SyncState } from '#proto/gen/symbolon/authority/sync';
import { AuthPolicy, Enforcement, TrustDomainSettings } from '#proto/gen/symbolon/authority/types';
import { parseSyncState } from './parse-sync-state.ts';
import { wireIdentity, wireNode } from './testing/fake-authority.ts';

const east = parseTrustDomain('east.example');
const nodeId = nodeSpiffeId(east, 'east-1');
let bundle: SyncState['bundles'][number];
beforeAll(async () => {
  const ca = await TestCa.create('east.example');
  bundle = { trustDomain: 'east.example', x509Authorities: [Buffer.from(ca.der)], sequence: 4n, refreshHintSeconds: 300 };
});

const policy = (fields: Partial<AuthPolicy> = {}): AuthPolicy =>
  AuthPolicy.fromPartial({
    id: 'policy-1',
    name: 'web-to-payments',
    sources: { spiffeIds: ['spiffe://east.example/web'] },
    destinations: { spiffeIds: ['spiffe://east.example/payments'] },
    traffic: ['tcp/8443'],
    ...fields,
  });

function state(change: Partial<SyncState> = {}): SyncState {
  return SyncState.fromPartial({
    revision: 7n,
    settings: TrustDomainSettings.fromPartial({
      trustDomain: 'east.example',
      enforcement: Enforcement.ENFORCEMENT_INBOUND,
      addressPrefixes: ['10.0.0.0/8'],
    }),
    identities: [
      wireIdentity('web', { enforcement: Enforcement.ENFORCEMENT_ALL, addresses: ['10.1.0.2'], ownership: { owner: 'o', generation: 3n } }),
    ],
    policies: [policy()],
    nodes: [wireNode('east-1', '10.1.0.0/24'), wireNode('east-2', '10.2.0.0/24')],
    bundles: [bundle],
    ...change,
  });
}
const parse = (change: Partial<SyncState> = {}) => parseSyncState(state(change), east, nodeId);

describe('parseSyncState', () => {
  test('gives the whole view', () => {
    const view = parse();
    expect(view).toMatchObject({
      revision: 7n,
      settings: { trustDomain: 'east.example', enforcement: 'inbound', addressPrefixes: [{ text: '10.0.0.0/8' }] },
      entries: [
        {
          id: 'entry-web',
          spiffeId: 'spiffe://east.example/web',
          parentId: nodeId,
          enforcement: 'all',
          addresses: [{ text: '10.1.0.2' }],
          revision: 3n,
        },
      ],
      policies: [{ name: 'web-to-payments', trustDomain: 'east.example', side: 'both', action: 'allow', protection: 'authenticated' }],
    });
    expect(view.directory.nodeOf(parseIpAddress('10.2.0.9'))?.nodeId).toBe('spiffe://east.example/symbolon/node/east-2');
    expect(view.bundles.get(east)).toMatchObject({ sequence: 4n, refreshHintSeconds: 300 });
  });

  test('what is not said is left out', () => {
    const view = parse({ settings: TrustDomainSettings.fromPartial({ trustDomain: 'east.example' }), identities: [wireIdentity('web')] });
    expect(view.settings).not.toHaveProperty('enforcement');
    expect(view.entries[0]).not.toHaveProperty('enforcement');
  });

  test('a bundle that has not changed stays the same object; any change makes a new one', async () => {
    const first = parse();
    const bundleAfter = (change: Partial<typeof bundle>) =>
      parseSyncState(state({ bundles: [{ ...bundle, ...change }] }), east, nodeId, first).bundles.get(east);
    expect(bundleAfter({})).toBe(first.bundles.get(east));
    const other = Buffer.from((await TestCa.create('east.example')).der);
    for (const change of [
      { sequence: 5n },
      { refreshHintSeconds: 60 },
      { x509Authorities: [other] },
      { x509Authorities: [...bundle.x509Authorities, other] },
    ]) {
      expect(bundleAfter(change)).not.toBe(first.bundles.get(east));
    }
  });

  test.each<[string, string, () => Partial<SyncState>]>([
    ['no settings', 'NODE_VIEW_INVALID', () => ({ settings: undefined })],
    [
      'settings of another trust domain',
      'NODE_VIEW_INVALID',
      () => ({ settings: TrustDomainSettings.fromPartial({ trustDomain: 'west.example' }) }),
    ],
    [
      'an enforcement of a newer protocol',
      'ENTRY_INVALID',
      () => ({ identities: [wireIdentity('web', { enforcement: Enforcement.UNRECOGNIZED })] }),
    ],
    [
      'an identity of another node',
      'ENTRY_INVALID',
      () => ({ identities: [wireIdentity('web', { parentId: nodeSpiffeId(east, 'east-2') })] }),
    ],
    [
      'an identity of another trust domain',
      'ENTRY_INVALID',
      () => ({ identities: [wireIdentity('web', { spiffeId: 'spiffe://west.example/web' })] }),
    ],
    ['an identity under the reserved path', 'ENTRY_INVALID', () => ({ identities: [wireIdentity('web', { spiffeId: nodeId })] })],
    ['an identity without selectors', 'ENTRY_INVALID', () => ({ identities: [wireIdentity('web', { selectors: [] })] })],
    ['an identity without an id', 'ENTRY_INVALID', () => ({ identities: [wireIdentity('web', { id: '' })] })],
    ['two identities of one id', 'NODE_VIEW_INVALID', () => ({ identities: [wireIdentity('web'), wireIdentity('web')] })],
    ['an address that is none', 'ADDRESS_INVALID', () => ({ identities: [wireIdentity('web', { addresses: ['10.1.0'] })] })],
    ['a policy without traffic', 'POLICY_INVALID', () => ({ policies: [policy({ traffic: [] })] })],
    ['a policy without parties', 'POLICY_INVALID', () => ({ policies: [policy({ sources: undefined })] })],
    ['a policy that cannot be enforced yet', 'POLICY_NOT_YET', () => ({ policies: [policy({ protection: 'encrypted' })] })],
    ['a policy of a newer protocol', 'POLICY_INVALID', () => ({ policies: [policy({ action: 'perhaps' })] })],
    [
      'a node that is no node',
      'DIRECTORY_INVALID',
      () => ({ nodes: [{ ...wireNode('east-1', '10.1.0.0/24'), spiffeId: 'spiffe://east.example/web' }] }),
    ],
    [
      'a node of another trust domain',
      'DIRECTORY_INVALID',
      () => ({ nodes: [{ ...wireNode('w', '10.1.0.0/24'), spiffeId: 'spiffe://west.example/symbolon/node/w' }] }),
    ],
    [
      'two nodes with one prefix',
      'DIRECTORY_INVALID',
      () => ({ nodes: [wireNode('east-1', '10.1.0.0/24'), wireNode('east-2', '10.1.0.0/24')] }),
    ],
    [
      'an endpoint without a port',
      'ADDRESS_INVALID',
      () => ({ nodes: [{ ...wireNode('east-1', '10.1.0.0/24'), endpoints: ['192.0.2.1'] }] }),
    ],
    ['no bundle of its own', 'NODE_VIEW_INVALID', () => ({ bundles: [] })],
    ['an empty bundle of its own', 'NODE_VIEW_INVALID', () => ({ bundles: [{ ...bundle, x509Authorities: [] }] })],
    ['two bundles of one trust domain', 'NODE_VIEW_INVALID', () => ({ bundles: [bundle, bundle] })],
  ])('refused whole: %s', (_, code, change) => {
    expect(() => parse(change())).toThrow(expect.objectContaining({ code }));
  });
});
