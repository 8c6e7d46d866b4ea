import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { callUnary } from '#daemon/grpc/call';
import { EntryFilter, EntryService } from '#proto/gen/spire/server/entry';
import { Entry, EntryMask, FederatesWithMatch_MatchBehavior, SelectorMatch_MatchBehavior } from '#proto/gen/spire/types';
import { idParts, nodeId, TEST_DOMAIN, TestAuthority } from '../testing/test-authority.ts';

let authority: TestAuthority;
beforeEach(async () => {
  authority = await TestAuthority.start();
});
afterEach(() => authority.close());

const OK = 0;
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const ABSENT = '00000000-0000-4000-8000-000000000000';

const entry = (path: string, node: string, more: Partial<Entry> = {}): Entry =>
  Entry.fromPartial({
    spiffeId: { trustDomain: TEST_DOMAIN, path },
    parentId: idParts(nodeId(node)),
    selectors: [{ type: 'unix', value: 'uid:1001' }],
    ...more,
  });
const create = async (entries: Entry[], outputMask?: EntryMask) =>
  (await callUnary(authority.admin, EntryService.batchCreateEntry, { entries, outputMask })).results;
const idsOf = async (entries: Entry[]) => (await create(entries)).map((result) => result.entry?.id ?? '');

describe('the entries that a node may have', () => {
  test('are its own, in the order of their creation, and no other node’s', async () => {
    const one = await authority.overTls(await authority.join('east-1', '10.1.0.0/16'));
    const two = await authority.overTls(await authority.join('east-2', '10.2.0.0/16'));
    const ids = await idsOf([entry('/a', 'east-1'), entry('/b', 'east-2'), entry('/c', 'east-1'), entry('/d', 'east-2')]);
    const given = async (client: typeof one, outputMask?: EntryMask) =>
      (await callUnary(client, EntryService.getAuthorizedEntries, { outputMask })).entries;
    expect((await given(one)).map((each) => [each.id, each.spiffeId?.path])).toEqual([
      [ids[0], '/a'],
      [ids[2], '/c'],
    ]);
    expect(await given(two, EntryMask.fromPartial({ spiffeId: true }))).toEqual(
      [
        ['/b', ids[1]],
        ['/d', ids[3]],
      ].map(([path, id]) => ({
        ...Entry.fromPartial({ id: id ?? '', spiffeId: { trustDomain: TEST_DOMAIN, path: path ?? '' } }),
        additionalAttributes: undefined,
      })),
    );
  });
});

describe('the mask of an answer leaves the rest out', () => {
  const mask = EntryMask.fromPartial({ hint: true });
  const masked = (id: string) =>
    expect.objectContaining({ id, hint: 'h', spiffeId: undefined, parentId: undefined, selectors: [], createdAt: 0n });
  let id: string;
  beforeEach(async () => {
    id = (await idsOf([entry('/web', 'east-1', { hint: 'h' })]))[0] ?? '';
  });

  test('of a list', async () => {
    const request = { filter: undefined, outputMask: mask, pageSize: 0, pageToken: '' };
    expect((await callUnary(authority.admin, EntryService.listEntries, request)).entries).toEqual([masked(id)]);
  });

  test('of one', async () => {
    expect(await callUnary(authority.admin, EntryService.getEntry, { id, outputMask: mask })).toEqual(masked(id));
  });

  test('of a batch that creates, also for what exists already', async () => {
    const [same, made] = await create([entry('/web', 'east-1'), entry('/new', 'east-1', { hint: 'h' })], mask);
    expect(same).toMatchObject({ status: { code: ALREADY_EXISTS }, entry: masked(id) });
    expect(made).toMatchObject({ status: { code: OK }, entry: masked(made?.entry?.id ?? '') });
  });
});

test('updates of a batch fail one by one, each in its place', async () => {
  const [a = '', b = ''] = await idsOf([entry('/a', 'east-1'), entry('/b', 'east-1')]);
  const entries = [
    entry('/a', 'east-1', { id: a, hint: 'new' }),
    entry('/x', 'east-1', { id: ABSENT }),
    entry('/b', 'east-1', { id: b, admin: true }),
    entry('/a', 'east-1', { id: b }),
    entry('/symbolon/admin/x', 'east-1', { id: b }),
    entry('/b', 'east-1', { id: b, hint: 'last' }),
  ];
  const { results } = await callUnary(authority.admin, EntryService.batchUpdateEntry, {
    entries,
    inputMask: undefined,
    outputMask: undefined,
  });
  expect(results.map(({ status, entry: after }) => [status?.code, after?.hint])).toEqual([
    [OK, 'new'],
    [NOT_FOUND, undefined],
    [INVALID_ARGUMENT, undefined],
    [ALREADY_EXISTS, undefined],
    [INVALID_ARGUMENT, undefined],
    [OK, 'last'],
  ]);
});

describe('malformed lists are refused, even where there is nothing to list', () => {
  const page = { outputMask: undefined, pageSize: 0, pageToken: '' };

  test.each<[string, Partial<EntryFilter>]>([
    ['no selectors', { bySelectors: { selectors: [], match: SelectorMatch_MatchBehavior.MATCH_SUPERSET } }],
    ['no trust domain', { byFederatesWith: { trustDomains: ['NOT A TD'], match: FederatesWithMatch_MatchBehavior.MATCH_EXACT } }],
    [
      'an unknown match behavior',
      { bySelectors: { selectors: [{ type: 'unix', value: 'uid:1' }], match: SelectorMatch_MatchBehavior.UNRECOGNIZED } },
    ],
  ])('%s', async (_what, wish) => {
    const filter = EntryFilter.fromPartial(wish);
    const invalid = { code: 'REQUEST_INVALID', cause: { code: INVALID_ARGUMENT } };
    await expect(callUnary(authority.admin, EntryService.listEntries, { filter, ...page })).rejects.toMatchObject(invalid);
    await expect(callUnary(authority.admin, EntryService.countEntries, { filter })).rejects.toMatchObject(invalid);
  });

  test.each(['x', 'nothing of ours', ABSENT.toUpperCase().replace('0', 'A'), `${ABSENT}0`])('the page token %j', async (pageToken) => {
    await expect(callUnary(authority.admin, EntryService.listEntries, { filter: undefined, ...page, pageToken })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      context: { field: 'page_token' },
    });
  });

  test('the id of an entry that has gone is a page token all the same', async () => {
    const request = { filter: undefined, ...page, pageToken: ABSENT };
    expect((await callUnary(authority.admin, EntryService.listEntries, request)).entries).toEqual([]);
  });
});
