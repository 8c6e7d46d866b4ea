import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { callUnary } from '#daemon/grpc/call';
import { AgentService } from '#proto/gen/spire/server/agent';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { type AuthPolicy, Enforcement, type Identity, Node } from '#proto/gen/symbolon/authority/types';
import { idParts, nodeId, TestAuthority, testIdentity, testNode, testPolicy } from '../testing/test-authority.ts';

let authority: TestAuthority;
beforeEach(async () => {
  authority = await TestAuthority.start();
});
afterEach(() => authority.close());

const node = (wanted: Node) => callUnary(authority.admin, ControlService.createNode, { node: wanted });
const policy = (wanted: AuthPolicy) => callUnary(authority.admin, ControlService.createAuthPolicy, { policy: wanted });
const identity = (wanted: Identity) => callUnary(authority.admin, ControlService.createIdentity, { identity: wanted });
const settings = (more: object, expectedGeneration?: bigint) =>
  callUnary(authority.admin, ControlService.setTrustDomain, {
    settings: {
      trustDomain: 'east.example',
      x509SvidTtlSeconds: 0,
      enforcement: Enforcement.ENFORCEMENT_UNSPECIFIED,
      addressPrefixes: [],
      ownership: { owner: 'test', generation: 0n },
      adopted: false,
      ...more,
    },
    ...(expectedGeneration === undefined ? {} : { expectedGeneration }),
  });
const owner = (name: string) => ({ ownership: { owner: name, generation: 0n } });

describe('create', () => {
  test('answers the object in its canonical form, and a revision that grows', async () => {
    const first = await node(testNode('east-1', '10.1.0.0/16', { addressPrefixes: ['2001:DB8:1::/48', '10.1.0.0/16', '10.1.0.0/16'] }));
    expect(first.node).toMatchObject({
      spiffeId: 'spiffe://east.example/symbolon/node/east-1',
      addressPrefixes: ['10.1.0.0/16', '2001:db8:1::/48'],
      ownership: { owner: 'test', generation: 1n },
    });
    const second = await policy(testPolicy('web-to-payments'));
    expect(second.policy).toMatchObject({ side: 'both', action: 'allow', mode: 'enforce', protection: 'authenticated' });
    expect(second.revision).toBe(first.revision + 1n);
  });

  test('of what the same owner declared alike already adopts it under a new id', async () => {
    const { policy: first } = await policy(testPolicy('p', { traffic: ['tcp/1', 'udp/2'] }));
    const { policy: again } = await policy(testPolicy('p', { traffic: ['udp/2', 'tcp/1'] }));
    expect(again?.id).not.toBe(first?.id);
    expect((await callUnary(authority.admin, ControlService.listAuthPolicies, {})).policies).toEqual([again]);
    // Terraform destroys what it had recorded under the old id: a no-op.
    await expect(callUnary(authority.admin, ControlService.deleteAuthPolicy, { id: first?.id ?? '' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test.each([
    ['another owner', { ...owner('other') }, 'made by "test"'],
    ['other content', { action: 'deny' }, 'with different content'],
  ])('of what is there with %s fails, naming the import', async (_case, change, text) => {
    await policy(testPolicy('p'));
    const failed = policy(testPolicy('p', change));
    await expect(failed).rejects.toMatchObject({ code: 'ALREADY_EXISTS', context: { what: 'east.example/p' } });
    await expect(failed).rejects.toThrow(text);
    await expect(failed).rejects.toThrow('terraform import <address> east.example/p');
  });

  test('is never an adoption for a writer without a name', async () => {
    await policy(testPolicy('p', { ...owner('') }));
    await expect(policy(testPolicy('p', { ...owner('') }))).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
      context: { what: 'east.example/p', owner: '' },
    });
  });

  test('of an identity that differs only in its selectors makes another entry of the same ID', async () => {
    const { identity: first } = await identity(testIdentity('/web', 'east-1'));
    await identity(testIdentity('/web', 'east-1', { selectors: ['unix:uid:1002'] }));
    const byName = (name: string) => callUnary(authority.admin, ControlService.getIdentity, { id: '', name });
    await expect(byName('spiffe://east.example/web')).rejects.toThrow(/2 of the kind identity.*name one by its id/);
    expect(await callUnary(authority.admin, ControlService.getIdentity, { id: first?.id ?? '', name: '' })).toEqual(first);
  });
});

describe('an object that breaks a rule is refused, and changes nothing', () => {
  test.each<[string, () => Promise<unknown>, string, RegExp]>([
    ['node name', () => node(testNode('../x', '10.1.0.0/16')), 'ENTRY_INVALID', /is not a node name/],
    ['host bits', () => node(testNode('n', '10.1.0.1/16')), 'PREFIX_INVALID', /did you mean 10.1.0.0\/16/],
    ['endpoint', () => node(testNode('n', '10.1.0.0/16', { endpoints: ['n.example:7420'] })), 'ENTRY_INVALID', /endpoints/],
    ['attestation', () => node(testNode('n', '10.1.0.0/16', { attestationMethods: ['tpm'] })), 'ENTRY_INVALID', /expected join_token/],
    ['overlap', () => node(testNode('n', '10.9.1.0/24')), 'CONFLICT', /overlaps 10.9.0.0\/16 of .*node\/taken/],
    ['outside', () => node(testNode('n', '11.0.0.0/16')), 'ENTRY_INVALID', /none of the trust domain's address prefixes/],
    ['wider', () => node(testNode('n', '0.0.0.0/0')), 'ENTRY_INVALID', /none of the trust domain's address prefixes/],
    ['settings', () => settings({ addressPrefixes: ['10.1.0.0/16'] }, 1n), 'ENTRY_INVALID', /node taken/],
    ['ttl', () => settings({ x509SvidTtlSeconds: 4_000_000_000 }), 'ENTRY_INVALID', /x509_svid_ttl/],
    ['other domain', () => settings({ trustDomain: 'west.example' }), 'NOT_FOUND', /authority of east.example/],
    ['ID of another domain', () => identity(testIdentity('', 'n', { spiffeId: 'spiffe://west.example/x' })), 'ENTRY_INVALID', /spiffe_id/],
    ['malformed ID', () => identity(testIdentity('/a//b', 'n')), 'SPIFFE_ID_INVALID', /empty segment/],
    ['reserved ID', () => identity(testIdentity('/symbolon/admin/me', 'n')), 'ENTRY_INVALID', /reserved/],
    ['no selector', () => identity(testIdentity('/web', 'n', { selectors: [] })), 'ENTRY_INVALID', /selectors/],
    ['parent', () => identity(testIdentity('/web', 'n', { parentId: 'spiffe://east.example/x' })), 'ENTRY_INVALID', /parent_id/],
    ['address', () => identity(testIdentity('/web', 'n', { addresses: ['10.1.0.300'] })), 'ADDRESS_INVALID', /10.1.0.300/],
    ['DNS name', () => identity(testIdentity('/web', 'n', { dnsNames: ['a b'] })), 'ENTRY_INVALID', /dns_names/],
    ['federation', () => identity(testIdentity('/web', 'n', { federatesWith: ['west.example'] })), 'ENTRY_INVALID', /federates/],
    [
      'enforcement',
      () => identity(testIdentity('/web', 'n', { enforcement: Enforcement.UNRECOGNIZED })),
      'REQUEST_INVALID',
      /enforcement -1/,
    ],
    ['traffic', () => policy(testPolicy('p', { traffic: ['tcp/0'] })), 'POLICY_INVALID', /traffic\[0\]/],
    ['audit', () => policy(testPolicy('p', { mode: 'audit' })), 'POLICY_NOT_YET', /audit/],
    ['nothing', () => callUnary(authority.admin, ControlService.createNode, { node: undefined }), 'REQUEST_INVALID', /no node/],
  ])('%s', async (_rule, attempt, code, text) => {
    await settings({ addressPrefixes: ['10.0.0.0/8'] });
    const { revision } = await node(testNode('taken', '10.9.0.0/16'));
    await expect(attempt()).rejects.toMatchObject({ code, message: expect.stringMatching(text) });
    const status = await callUnary(authority.admin, ControlService.getStatus, {});
    expect(status).toMatchObject({ revision, trustDomain: 'east.example', version: '0.1.0' });
  });
});

test('status says how each declared node stands: never joined, joined, banned', async () => {
  await authority.declareNode('east-0', '10.0.0.0/16');
  await authority.join('east-1', '10.1.0.0/16');
  await authority.join('east-2', '10.2.0.0/16');
  await callUnary(authority.admin, AgentService.banAgent, { id: idParts(nodeId('east-2')) });
  const { agents } = await callUnary(authority.admin, ControlService.getStatus, {});
  expect(agents.map((agent) => [agent.nodeName, agent.banned, agent.svidExpiresAt > 0n])).toEqual([
    ['east-0', false, false],
    ['east-1', false, true],
    ['east-2', true, true],
  ]);
});

describe('update and delete', () => {
  test('replace and remove by id', async () => {
    const { policy: made } = await policy(testPolicy('p'));
    const changed = { ...testPolicy('renamed', { action: 'deny' }), id: made?.id ?? '' };
    const { policy: after } = await callUnary(authority.admin, ControlService.updateAuthPolicy, { policy: changed });
    expect(after).toMatchObject({ id: made?.id, name: 'renamed', action: 'deny', ownership: { generation: 2n } });
    await callUnary(authority.admin, ControlService.deleteAuthPolicy, { id: changed.id });
    await expect(callUnary(authority.admin, ControlService.deleteAuthPolicy, { id: changed.id })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(callUnary(authority.admin, ControlService.getAuthPolicy, { id: '', name: 'renamed' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('that have not seen the newest generation fail and name the other writer', async () => {
    const { node: made } = await node(testNode('east-1', '10.1.0.0/16'));
    const id = made?.id ?? '';
    const theirs = { ...testNode('east-1', '10.2.0.0/16', owner('team-b')), id };
    await callUnary(authority.admin, ControlService.updateNode, { node: theirs, expectedGeneration: 1n });
    const stale = callUnary(authority.admin, ControlService.updateNode, { node: { ...theirs, ...owner('test') }, expectedGeneration: 1n });
    await expect(stale).rejects.toMatchObject({ code: 'CONFLICT', context: { what: 'team-b' } });
    await expect(stale).rejects.toThrow('changed by "team-b"');
    await expect(callUnary(authority.admin, ControlService.deleteNode, { id, expectedGeneration: 1n })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await callUnary(authority.admin, ControlService.deleteNode, { id, expectedGeneration: 2n });
  });

  test('cannot rename a node, nor give an object the name of another', async () => {
    const { node: made } = await node(testNode('east-1', '10.1.0.0/16'));
    const renamed = Node.fromPartial({ ...testNode('east-9', '10.1.0.0/16'), id: made?.id ?? '' });
    await expect(callUnary(authority.admin, ControlService.updateNode, { node: renamed })).rejects.toThrow(/cannot be changed/);
    await policy(testPolicy('a'));
    const { policy: b } = await policy(testPolicy('b'));
    await expect(
      callUnary(authority.admin, ControlService.updateAuthPolicy, { policy: { ...testPolicy('a'), id: b?.id ?? '' } }),
    ).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  });

  test('a node keeps its own prefixes when it is updated', async () => {
    const { node: made } = await node(testNode('east-1', '10.1.0.0/16'));
    const wider = { ...testNode('east-1', '10.0.0.0/8'), id: made?.id ?? '' };
    expect((await callUnary(authority.admin, ControlService.updateNode, { node: wider })).node?.addressPrefixes).toEqual(['10.0.0.0/8']);
  });
});

describe('the trust domain', () => {
  const read = () => callUnary(authority.admin, ControlService.getTrustDomain, {});

  test('is adopted by the first who declares it, kept from others, and reset', async () => {
    expect(await read()).toMatchObject({ adopted: false, addressPrefixes: [] });
    await settings({ x509SvidTtlSeconds: 600, enforcement: Enforcement.ENFORCEMENT_INBOUND });
    expect(await read()).toMatchObject({
      adopted: true,
      x509SvidTtlSeconds: 600,
      enforcement: 2,
      ownership: { owner: 'test', generation: 1n },
    });
    // The same again, after an interrupted apply; anything else would be a silent change of what another state holds.
    const same = { x509SvidTtlSeconds: 600, enforcement: Enforcement.ENFORCEMENT_INBOUND };
    expect((await settings(same)).settings).toMatchObject({ ownership: { owner: 'test', generation: 2n } });
    for (const other of [{ ...same, x509SvidTtlSeconds: 300 }, {}, { ...same, ...owner('') }, { ...same, ...owner('other') }]) {
      await expect(settings(other)).rejects.toMatchObject({ code: 'ALREADY_EXISTS', context: { what: 'east.example' } });
    }
    await expect(settings({})).rejects.toThrow(
      'are declared already with different content, by "test"; to take them over: terraform import <address> east.example',
    );
    expect(await read()).toMatchObject({ x509SvidTtlSeconds: 600, ownership: { owner: 'test', generation: 2n } });
    await expect(settings(owner('other'))).rejects.toMatchObject({ code: 'ALREADY_EXISTS', context: { what: 'east.example' } });
    await expect(settings(owner('other'), 7n)).rejects.toMatchObject({ code: 'CONFLICT', context: { what: 'test' } });
    // Imported by another, deliberately.
    expect((await settings(owner('other'), 2n)).settings).toMatchObject({ ownership: { owner: 'other', generation: 3n } });
    await callUnary(authority.admin, ControlService.resetTrustDomain, { id: 'east.example' });
    expect(await read()).toMatchObject({ adopted: false, x509SvidTtlSeconds: 0, enforcement: 0, ownership: { owner: '' } });
  });
});

test('everything declared is there after a restart, under the same revision', async () => {
  const { node: madeNode } = await node(testNode('east-1', '10.1.0.0/16'));
  const { identity: madeIdentity } = await identity(
    testIdentity('/web', 'east-1', { enforcement: Enforcement.ENFORCEMENT_OFF, hint: 'h' }),
  );
  const { policy: madePolicy, revision } = await policy(testPolicy('p'));
  await authority.restart();
  expect((await callUnary(authority.admin, ControlService.listNodes, {})).nodes).toEqual([madeNode]);
  expect((await callUnary(authority.admin, ControlService.listIdentities, {})).identities).toEqual([madeIdentity]);
  expect((await callUnary(authority.admin, ControlService.listAuthPolicies, {})).policies).toEqual([madePolicy]);
  expect((await callUnary(authority.admin, ControlService.getStatus, {})).revision).toBe(revision);
});
