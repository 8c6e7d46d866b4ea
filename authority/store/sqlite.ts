import type BetterSqlite3 from 'better-sqlite3';
import { SqliteAdapter, SqliteDialect } from 'kysely';

/**
 * The better-sqlite3 that this Node needs. 13 is written for Node-API 10, which came with Node 22.14. 12, for older ones, is written for Node's own C++
 * interface; from Node 24.19 on a process that uses it is aborted when a statement is collected at a bad moment (nodejs/node#65446).
 */
export function sqliteModule(nodeApi: string): string {
  return Number(nodeApi) >= 10 ? 'better-sqlite3' : 'better-sqlite3-12';
}

/** Opens a database file. */
export function openSqlite(path: string, options: BetterSqlite3.Options): BetterSqlite3.Database {
  const Database = require(sqliteModule(process.versions['napi'] ?? '')) as typeof BetterSqlite3;
  return new Database(path, options);
}

class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** Kysely's SQLite, but with migrations in a transaction, which it leaves to each statement: a crash in the middle would leave half a schema. */
export class TransactionalSqliteDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter();
  }
}
