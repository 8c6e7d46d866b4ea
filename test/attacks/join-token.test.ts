import { createHash, generateKeyPairSync } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { systemClock } from '#daemon/clock';
import { attestByJoinToken } from '../../authority/attestation/attest.ts';
import { openCertificateAuthority } from '../../authority/ca/certificate-authority.ts';
import type { StoreTransaction } from '../../authority/store/schema.ts';
import { openStore, type Store } from '../../authority/store/store.ts';
import { nodeId, TEST_DOMAIN, TestAuthority } from '../../authority/testing/test-authority.ts';

let authority: TestAuthority;
let token: string;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sy-store-'));
  authority = await TestAuthority.start();
  await authority.declareNode('east-1', '10.1.0.0/16');
  token = await authority.token('east-1');
});
afterEach(async () => {
  await authority.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The authority's CA and its store as it is now, for one who attests with them in this process. */
async function withCopy<T>(use: (attest: (through: Store) => Promise<string>, store: Store) => Promise<T>): Promise<T> {
  for (const file of ['authority.db', 'authority.db-wal', 'ca.pem']) {
    const from = join(authority.folder, file);
    if (existsSync(from)) copyFileSync(from, join(folder, file));
  }
  const at = systemClock.now();
  const ca = await openCertificateAuthority(join(folder, 'ca.pem'), TEST_DOMAIN, at);
  const store = await openStore(join(folder, 'authority.db'), TEST_DOMAIN);
  const attest = async (through: Store): Promise<string> => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const { svid } = await attestByJoinToken(through, ca, token, publicKey, at);
    return svid.id;
  };
  try {
    return await use(attest, store);
  } finally {
    await store.close();
  }
}

/** The store, but what is taken from it by a join token's hash was looked up in one transaction and is deleted in the next. */
function lookingFirst(store: Store): Store {
  const hash = createHash('sha256').update(token).digest('hex');
  const deleting = (tx: StoreTransaction, seen: unknown): object => {
    const query = {
      where: () => query,
      returning: () => query,
      executeTakeFirst: async () => {
        await tx.deleteFrom('join_token').where('hash', '=', hash).execute();
        return seen;
      },
    };
    return query;
  };
  return {
    ...store,
    transact: async (work) => {
      const look = (tx: StoreTransaction) => tx.selectFrom('join_token').selectAll().where('hash', '=', hash).executeTakeFirst();
      const seen = await store.transact(look);
      return await store.transact((tx) =>
        work(
          new Proxy(tx, {
            get: (of, name: keyof StoreTransaction) => {
              if (name === 'deleteFrom')
                return (table: string) => (table === 'join_token' ? deleting(of, seen) : of.deleteFrom(table as never));
              const value: unknown = of[name];
              return typeof value === 'function' ? (value as () => unknown).bind(of) : value;
            },
          }),
        ),
      );
    },
  };
}

test('a join token that two use at the same instant makes one node; the other is refused it', async () => {
  const outcomes = await Promise.allSettled([authority.attest(token), authority.attest(token)]);
  const [lost, ...more] = outcomes.filter((outcome) => outcome.status === 'rejected');
  expect([outcomes.length, lost?.reason, more]).toEqual([2, expect.objectContaining({ code: 'TOKEN_REFUSED' }), []]);
});

test('would make two if looking it up and taking it away were two steps', async () => {
  await withCopy(async (attest, store) => {
    const naive = lookingFirst(store);
    expect(await Promise.all([attest(naive), attest(naive)])).toEqual([nodeId('east-1'), nodeId('east-1')]);
  });
});

test('in this process, too, one step makes one', async () => {
  await withCopy(async (attest, store) => {
    const outcomes = await Promise.allSettled([attest(store), attest(store)]);
    expect(outcomes).toEqual([
      { status: 'fulfilled', value: nodeId('east-1') },
      { status: 'rejected', reason: expect.objectContaining({ code: 'TOKEN_REFUSED' }) },
    ]);
  });
});
