import { X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseSpiffeId } from '#core/spiffe/id';
import { verifyX509Svid } from '#core/spiffe/verify';
import { systemClock } from '#daemon/clock';
import { callUnary } from '#daemon/grpc/call';
import { AgentService } from '#proto/gen/spire/server/agent';
import { BundleService } from '#proto/gen/spire/server/bundle';
import { EntryFilter, EntryService } from '#proto/gen/spire/server/entry';
import { SVIDService } from '#proto/gen/spire/server/svid';
import { Entry, EntryMask, SelectorMatch_MatchBehavior } from '#proto/gen/spire/types';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { Enforcement } from '#proto/gen/symbolon/authority/types';
import { createCsr } from '../ca/create-csr.ts';
import { anyCsr, idParts, newKey, nodeId, TEST_DOMAIN, TestAuthority, testIdentity } from '../testing/test-authority.ts';

let authority: TestAuthority;
beforeEach(async () => {
  authority = await TestAuthority.start();
});
afterEach(() => authority.close());

const ALREADY_EXISTS = 6;
const NOT_FOUND = 5;
const INVALID_ARGUMENT = 3;

const entry = (path: string, node: string, more: Partial<Entry> = {}): Entry =>
  Entry.fromPartial({
    spiffeId: { trustDomain: TEST_DOMAIN, path },
    parentId: idParts(nodeId(node)),
    selectors: [{ type: 'unix', value: 'uid:1001' }],
    ...more,
  });
const create = async (...entries: Entry[]) =>
  (await callUnary(authority.admin, EntryService.batchCreateEntry, { entries, outputMask: undefined })).results;
const list = (filter: Partial<EntryFilter> = {}, page: { pageSize?: number; pageToken?: string } = {}) =>
  callUnary(authority.admin, EntryService.listEntries, {
    filter: EntryFilter.fromPartial(filter),
    outputMask: undefined,
    pageSize: 0,
    pageToken: '',
    ...page,
  });

describe('entries', () => {
  test('are created one by one in a batch: what exists comes back, what is wrong says why', async () => {
    const [made, same, wrong] = await create(
      entry('/web', 'east-1', { hint: 'h' }),
      entry('/web', 'east-1'),
      entry('/symbolon/admin/x', 'east-1'),
    );
    expect(made).toMatchObject({ status: { code: 0 }, entry: { spiffeId: { path: '/web' }, hint: 'h', revisionNumber: 0n } });
    expect(same).toMatchObject({ status: { code: ALREADY_EXISTS }, entry: { id: made?.entry?.id, hint: 'h' } });
    expect(wrong).toMatchObject({ status: { code: INVALID_ARGUMENT, message: expect.stringContaining('reserved') }, entry: undefined });
    expect((await list()).entries).toHaveLength(1);
  });

  test.each<Partial<Entry>>([
    { admin: true },
    { downstream: true },
    { storeSvid: true },
    { expiresAt: 1n },
    { jwtSvidTtl: 60 },
    { additionalAttributes: { disableX509SvidPrefetch: true, jwtSvidIncludeJti: false } },
    { additionalAttributes: { disableX509SvidPrefetch: false, jwtSvidIncludeJti: true } },
  ])('with %o are refused, not silently weakened', async (more) => {
    const [result] = await create(entry('/web', 'east-1', more));
    expect(result?.status).toMatchObject({ code: INVALID_ARGUMENT, message: expect.stringContaining('not supported') });
  });

  test('with empty additional attributes are taken', async () => {
    const additionalAttributes = { disableX509SvidPrefetch: false, jwtSvidIncludeJti: false };
    expect((await create(entry('/web', 'east-1', { additionalAttributes })))[0]?.status?.code).toBe(0);
  });

  test('are the identities of Control: an update by mask leaves what SPIRE has no field for', async () => {
    const identity = testIdentity('/web', 'east-1', { addresses: ['10.1.0.2'], enforcement: Enforcement.ENFORCEMENT_INBOUND, hint: 'old' });
    const { identity: made } = await callUnary(authority.admin, ControlService.createIdentity, { identity });
    const id = made?.id ?? '';
    const changed = entry('/ignored', 'east-9', { id, hint: 'new', x509SvidTtl: 60 });
    const masks = {
      inputMask: EntryMask.fromPartial({ hint: true, x509SvidTtl: true }),
      outputMask: EntryMask.fromPartial({ hint: true }),
    };
    const { results } = await callUnary(authority.admin, EntryService.batchUpdateEntry, { entries: [changed], ...masks });
    expect(results[0]).toMatchObject({ status: { code: 0 }, entry: { id, hint: 'new', spiffeId: undefined, selectors: [] } });
    expect(await callUnary(authority.admin, ControlService.getIdentity, { id, name: '' })).toMatchObject({
      spiffeId: 'spiffe://east.example/web',
      addresses: ['10.1.0.2'],
      enforcement: Enforcement.ENFORCEMENT_INBOUND,
      hint: 'new',
      x509SvidTtlSeconds: 60,
      ownership: { owner: '', generation: 2n },
    });
  });

  test('are deleted one by one; what is not there says so', async () => {
    const [made] = await create(entry('/web', 'east-1'));
    const ids = [made?.entry?.id ?? '', 'nothing'];
    const { results } = await callUnary(authority.admin, EntryService.batchDeleteEntry, { ids });
    expect(results.map((r) => [r.id, r.status?.code])).toEqual([
      [ids[0], 0],
      ['nothing', NOT_FOUND],
    ]);
    await expect(callUnary(authority.admin, EntryService.getEntry, { id: ids[0] ?? '', outputMask: undefined })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('come in pages, each entry once', async () => {
    await create(...Array.from({ length: 7 }, (_, i) => entry(`/w${i}`, 'east-1')));
    const seen: string[] = [];
    let pageToken = '';
    do {
      const page = await list({}, { pageSize: 3, pageToken });
      expect(page.entries.length).toBeLessThanOrEqual(3);
      seen.push(...page.entries.map((e) => e.spiffeId?.path ?? ''));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(seen.toSorted()).toEqual(Array.from({ length: 7 }, (_, i) => `/w${i}`));
  });

  const selectors = [
    { type: 'unix', value: 'uid:1' },
    { type: 'unix', value: 'gid:1' },
  ];
  test.each<[string, Partial<EntryFilter>, string[]]>([
    ['by ID', { bySpiffeId: { trustDomain: TEST_DOMAIN, path: '/a' } }, ['/a']],
    ['by parent', { byParentId: idParts(nodeId('east-2')) }, ['/b']],
    ['by hint', { byHint: 'x' }, ['/b']],
    ['by downstream', { byDownstream: true }, []],
    ['exactly these selectors', { bySelectors: { selectors, match: SelectorMatch_MatchBehavior.MATCH_EXACT } }, ['/b']],
    ['no other selectors', { bySelectors: { selectors, match: SelectorMatch_MatchBehavior.MATCH_SUBSET } }, ['/a', '/b']],
    ['at least these selectors', { bySelectors: { selectors, match: SelectorMatch_MatchBehavior.MATCH_SUPERSET } }, ['/b', '/c']],
    ['any of these selectors', { bySelectors: { selectors, match: SelectorMatch_MatchBehavior.MATCH_ANY } }, ['/a', '/b', '/c']],
  ])('are filtered %s', async (_how, filter, paths) => {
    await create(
      entry('/a', 'east-1', { selectors: selectors.slice(0, 1) }),
      entry('/b', 'east-2', { selectors, hint: 'x' }),
      entry('/c', 'east-1', { selectors: [...selectors, { type: 'unix', value: 'path:/x' }] }),
    );
    const { entries } = await list(filter);
    expect(entries.map((e) => e.spiffeId?.path ?? '').toSorted()).toEqual(paths);
    const { count } = await callUnary(authority.admin, EntryService.countEntries, { filter: EntryFilter.fromPartial(filter) });
    expect(count).toBe(paths.length);
  });
});

describe('SVIDs', () => {
  const bundles = async () => {
    const { x509Authorities } = await callUnary(authority.admin, BundleService.getBundle, { outputMask: undefined });
    return new Map([
      [TEST_DOMAIN, { trustDomain: TEST_DOMAIN, authorities: x509Authorities.map(({ asn1 }) => ({ der: asn1 })), sequence: 1n }],
    ]);
  };

  test('of workloads bear the ID of the entry, whatever the request names, and the node that they were issued to', async () => {
    const node = await authority.join('east-1', '10.1.0.0/16');
    const [made] = await create(entry('/web', 'east-1', { dnsNames: ['web.east.example'], x509SvidTtl: 120 }));
    const key = newKey();
    const csr = await anyCsr(key, parseSpiffeId('spiffe://east.example/payments'));
    const params = [{ entryId: made?.entry?.id ?? '', csr }];
    const { results } = await callUnary(await authority.overTls(node), SVIDService.batchNewX509Svid, { params });
    const svid = verifyX509Svid(results[0]?.svid?.certChain ?? [], await bundles(), systemClock.now());
    expect(svid).toMatchObject({ id: 'spiffe://east.example/web', issuedToNode: nodeId('east-1') });
    expect(svid.publicKey.export({ format: 'jwk' })).toMatchObject({ x: key.export({ format: 'jwk' }).x });
    expect((svid.notAfter - systemClock.now()) / 1000).toBeLessThanOrEqual(120);
    expect((svid.notAfter - svid.notBefore) / 1000).toBeGreaterThanOrEqual(129);
  });

  test('are issued for a node’s own entries only, and for requests that prove their key', async () => {
    const node = await authority.join('east-1', '10.1.0.0/16');
    const [mine, theirs] = (await create(entry('/web', 'east-1'), entry('/payments', 'east-2'))).map((r) => r.entry?.id ?? '');
    const csr = await anyCsr(newKey());
    const broken = Buffer.from(csr);
    broken.writeUInt8(broken.readUInt8(broken.length - 1) ^ 1, broken.length - 1);
    const params = [theirs, 'nothing'].map((entryId) => ({ entryId: entryId ?? '', csr }));
    params.push({ entryId: mine ?? '', csr: broken });
    const { results } = await callUnary(await authority.overTls(node), SVIDService.batchNewX509Svid, { params });
    expect(results.map((r) => [r.status?.code, r.svid])).toEqual([
      [NOT_FOUND, undefined],
      [NOT_FOUND, undefined],
      [INVALID_ARGUMENT, undefined],
    ]);
  });

  test('of many calls by one node at a time, those of an agent are answered and a flood is told to come again', async () => {
    const [flood, agent] = [await authority.join('east-1', '10.1.0.0/16'), await authority.join('east-2', '10.2.0.0/16')];
    const [mine, theirs] = (await create(entry('/web', 'east-1'), entry('/payments', 'east-2'))).map((r) => r.entry?.id ?? '');
    const csr = await anyCsr(newKey());
    const batch = (entryId: string | undefined, count: number) => ({
      params: Array.from({ length: count }, () => ({ entryId: entryId ?? '', csr })),
    });
    const [one, other] = [await authority.overTls(flood), await authority.overTls(agent)];
    await Promise.all([one, other].map((client) => callUnary(client, SVIDService.batchNewX509Svid, batch(mine, 0))));
    const calls = Array.from({ length: 40 }, () => callUnary(one, SVIDService.batchNewX509Svid, batch(mine, 50)));
    const answer = await callUnary(other, SVIDService.batchNewX509Svid, batch(theirs, 2));
    expect(answer.results.map(({ status }) => status?.code)).toEqual([0, 0]);
    const outcomes = await Promise.allSettled(calls);
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(40);
    for (const error of refused) expect(error).toMatchObject({ code: 'BUSY', context: { what: 'BatchNewX509SVID' } });
  });

  test('of a mixed batch are answered in the order of the requests', async () => {
    const node = await authority.join('east-1', '10.1.0.0/16');
    const [a, theirs, b] = (await create(entry('/a', 'east-1'), entry('/x', 'east-2'), entry('/b', 'east-1'))).map(
      (r) => r.entry?.id ?? '',
    );
    const csr = await anyCsr(newKey());
    const params = [b, theirs, a, 'nothing', b].map((entryId) => ({ entryId: entryId ?? '', csr }));
    params.push({ entryId: a ?? '', csr: Buffer.alloc(0) });
    const { results } = await callUnary(await authority.overTls(node), SVIDService.batchNewX509Svid, { params });
    expect(results.map((r) => [r.status?.code, r.svid?.id?.path])).toEqual([
      [0, '/b'],
      [NOT_FOUND, undefined],
      [0, '/a'],
      [NOT_FOUND, undefined],
      [0, '/b'],
      [INVALID_ARGUMENT, undefined],
    ]);
  });

  test('that are minted have the DNS names that the request names', async () => {
    const id = parseSpiffeId('spiffe://east.example/tool');
    const mint = async (names: readonly string[]) =>
      callUnary(authority.admin, SVIDService.mintX509Svid, { csr: Buffer.from(await createCsr(newKey(), id, names)), ttl: 60 });
    const { svid } = await mint(['tool.east.example', '*.tool.east.example']);
    expect(new X509Certificate(svid?.certChain[0] ?? '').subjectAltName).toBe(
      'URI:spiffe://east.example/tool, DNS:tool.east.example, DNS:*.tool.east.example',
    );
    await expect(mint(['tool east'])).rejects.toMatchObject({ code: 'ENTRY_INVALID' });
  });

  test('of nodes name the node and no placement', async () => {
    const { chain } = await authority.join('east-1', '10.1.0.0/16');
    const svid = verifyX509Svid(chain, await bundles(), systemClock.now());
    expect(svid.id).toBe(nodeId('east-1'));
    expect(svid.issuedToNode).toBeUndefined();
  });
});

test('agents are listed, counted and shown', async () => {
  await authority.join('east-1', '10.1.0.0/16');
  await authority.join('east-2', '10.2.0.0/16');
  await callUnary(authority.admin, AgentService.banAgent, { id: idParts(nodeId('east-2')) });
  const { agents } = await callUnary(authority.admin, AgentService.listAgents, {
    filter: undefined,
    outputMask: undefined,
    pageSize: 0,
    pageToken: '',
  });
  expect(agents.map((agent) => [agent.id?.path, agent.attestationType, agent.banned])).toEqual([
    ['/symbolon/node/east-1', 'join_token', false],
    ['/symbolon/node/east-2', 'join_token', true],
  ]);
  const banned = { byAttestationType: '', bySelectorMatch: undefined, byBanned: true, byCanReattest: undefined, byExpiresBefore: '' };
  expect(await callUnary(authority.admin, AgentService.countAgents, { filter: banned })).toEqual({ count: 1 });
  await expect(
    callUnary(authority.admin, AgentService.getAgent, { id: idParts(nodeId('east-3')), outputMask: undefined }),
  ).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});
