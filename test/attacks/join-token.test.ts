import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { TestAuthority } from '../../authority/testing/test-authority.ts';

let authority: TestAuthority;
let token: string;
beforeEach(async () => {
  authority = await TestAuthority.start();
  await authority.declareNode('east-1', '10.1.0.0/16');
  token = await authority.token('east-1');
});
afterEach(() => authority.close());

/** The authority's store as it is now, in a folder of its own. */
function withCopyOfStore<T>(use: (path: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'sy-store-'));
  try {
    for (const file of ['authority.db', 'authority.db-wal']) {
      const from = join(authority.folder, file);
      if (existsSync(from)) copyFileSync(from, join(folder, file));
    }
    return use(join(folder, 'authority.db'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('a join token that two use at the same instant makes one node', async () => {
  const outcomes = await Promise.allSettled([authority.attest(token), authority.attest(token)]);
  expect(outcomes.map((outcome) => outcome.status).toSorted()).toEqual(['fulfilled', 'rejected']);
});

test('would make two if looking it up and taking it away were two steps', () => {
  const hash = createHash('sha256').update(token).digest('hex');
  const nodes = withCopyOfStore((path) => {
    const database = new Database(path);
    // What two who try at once would do, step by step.
    const look = database.prepare('SELECT node FROM join_token WHERE hash = ?');
    const remove = database.prepare('DELETE FROM join_token WHERE hash = ?');
    const seen = [look.get(hash), look.get(hash)];
    for (const _ of seen) remove.run(hash);
    database.close();
    return seen;
  });
  expect(nodes).toEqual([{ node: 'east-1' }, { node: 'east-1' }]);
  // In one statement, as the authority does it, the second gets nothing.
  const taken = withCopyOfStore((path) => {
    const database = new Database(path);
    const take = database.prepare('DELETE FROM join_token WHERE hash = ? RETURNING node');
    const both = [take.get(hash), take.get(hash)];
    database.close();
    return both;
  });
  expect(taken).toEqual([{ node: 'east-1' }, undefined]);
});
