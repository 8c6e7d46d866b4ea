import { expect, test } from '@jest/globals';
import { type Dialect, Kysely, Migrator, SqliteDialect, sql } from 'kysely';
import { openSqlite, sqliteModule, TransactionalSqliteDialect } from './sqlite.ts';

test.each([
  ['9', 'better-sqlite3-12'], // Node 20.19, 22.13
  ['10', 'better-sqlite3'], // Node 22.14, 24
  ['11', 'better-sqlite3'],
  ['', 'better-sqlite3-12'],
])('Node-API %s: %s', (nodeApi, module) => {
  expect(sqliteModule(nodeApi)).toBe(module);
});

test('this Node’s opens a database', () => {
  const database = openSqlite(':memory:', {});
  expect(database.pragma('journal_mode', { simple: true })).toBe('memory');
  database.close();
});

/** The tables that a migration leaves which ends in the middle. */
async function halfMigrated(dialectOf: (database: ReturnType<typeof openSqlite>) => Dialect): Promise<readonly string[]> {
  const db = new Kysely<Record<string, Record<string, unknown>>>({ dialect: dialectOf(openSqlite(':memory:', {})) });
  const up = async (tx: Kysely<unknown>): Promise<void> => {
    await sql`create table first (id integer)`.execute(tx);
    throw new Error('the end');
  };
  const provider = { getMigrations: () => Promise.resolve({ one: { up } }) };
  expect((await new Migrator({ db, provider }).migrateToLatest()).error).toMatchObject({ message: 'the end' });
  const { rows } = await sql<{ name: string }>`select name from sqlite_master where name = 'first'`.execute(db);
  await db.destroy();
  return rows.map(({ name }) => name);
}

test('a migration that ends in the middle leaves nothing; without the transaction it would', async () => {
  expect(await halfMigrated((database) => new TransactionalSqliteDialect({ database }))).toEqual([]);
  expect(await halfMigrated((database) => new SqliteDialect({ database }))).toEqual(['first']);
});
