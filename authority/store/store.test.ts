import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseTrustDomain } from '#core/spiffe/id';
import { insertJoinToken, takeJoinToken } from './join-tokens.ts';
import { currentRevision, nextRevision } from './revision.ts';
import type { StoreTransaction } from './schema.ts';
import { openStore, type Store } from './store.ts';

const EAST = parseTrustDomain('east.example');
let folder: string;
let path: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sy-store-'));
  path = join(folder, 'a.db');
  store = await openStore(path, EAST);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const revision = () => store.transact(currentRevision);

test('a transaction that throws leaves nothing, and those that waited with it are done', async () => {
  const before = await revision();
  const outcomes = await Promise.allSettled([
    store.transact(nextRevision),
    store.transact(async (tx) => {
      await nextRevision(tx);
      throw new Error('no');
    }),
    store.transact(nextRevision),
  ]);
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await revision()).toBe(before + 2n);
});

test('transactions do not interleave', async () => {
  const before = await revision();
  const slow = async (tx: StoreTransaction): Promise<bigint> => {
    const seen = await currentRevision(tx);
    await sleep(5);
    await nextRevision(tx);
    return seen;
  };
  const seen = await Promise.all(Array.from({ length: 10 }, () => store.transact(slow)));
  expect(seen).toEqual(Array.from({ length: 10 }, (_, i) => before + BigInt(i)));
});

test('what breaks a constraint is STORE_FAILED and undone', async () => {
  const twice = store.transact(async (tx) => {
    await nextRevision(tx);
    await insertJoinToken(tx, 'same', 'n', 1);
    await insertJoinToken(tx, 'same', 'n', 1);
  });
  await expect(twice).rejects.toMatchObject({ code: 'STORE_FAILED' });
  expect(await store.transact((tx) => takeJoinToken(tx, 'same'))).toBeUndefined();
});

test('is there after it was closed and opened, and belongs to one trust domain', async () => {
  const written = await store.transact(nextRevision);
  await store.close();
  await expect(openStore(path, parseTrustDomain('west.example'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  store = await openStore(path, EAST);
  expect(await revision()).toBe(written);
});

test('is refused to a second authority while the first has it open', async () => {
  await expect(openStore(path, EAST)).rejects.toMatchObject({
    code: 'STORE_FAILED',
    message: expect.stringContaining('another authority'),
  });
});

test('of two who take a token at once one gets it; by reading first and deleting then, both would', async () => {
  const insert = () => store.transact((tx) => insertJoinToken(tx, 'token', 'east-1', 1));
  await insert();
  const taken = await Promise.all([1, 2].map(() => store.transact((tx) => takeJoinToken(tx, 'token'))));
  expect(taken.filter((token) => token !== undefined)).toHaveLength(1);

  await insert();
  const naive = async () => {
    const found = await store.transact((tx) => tx.selectFrom('join_token').selectAll().executeTakeFirst());
    await store.transact((tx) => tx.deleteFrom('join_token').execute());
    return found;
  };
  expect((await Promise.all([naive(), naive()])).filter((token) => token !== undefined)).toHaveLength(2);
});
