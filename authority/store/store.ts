import type { Database } from 'better-sqlite3';
import { Kysely, Migrator } from 'kysely';
import { SymbolonError } from '#core/errors/error';
import type { TrustDomain } from '#core/spiffe/id';
import { failed } from './failed.ts';
import { migrationProvider } from './migrations.ts';
import type { StoreTransaction, Tables } from './schema.ts';
import { openSqlite, TransactionalSqliteDialect } from './sqlite.ts';
import { TransactionQueue } from './transaction-queue.ts';

/** Where the authority keeps what it must not forget. Transactions run one after the other; the effects of each are all there or none. */
export interface Store {
  /** Runs work in a transaction. Once the promise resolves, a crash of the machine loses nothing of it. Throws what the work throws, or STORE_FAILED. */
  transact<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** A second process on the same file is refused after this. */
const BUSY_MS = 2000;

/**
 * Opens (or makes) the SQLite store of one trust domain and brings its schema up to date. Throws STORE_FAILED if another process has it open,
 * CONFIG_INVALID if it belongs to another trust domain.
 */
export async function openStore(path: string, trustDomain: TrustDomain): Promise<Store> {
  const database = openDatabase(path);
  const db = new Kysely<Tables>({ dialect: new TransactionalSqliteDialect({ database }) });
  try {
    const { error } = await new Migrator({ db, provider: migrationProvider }).migrateToLatest();
    if (error !== undefined) throw failed('bring its schema up to date', error);
    await claim(db, trustDomain);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  const queue = new TransactionQueue(db);
  return { transact: (work) => queue.add(work), close: () => db.destroy() };
}

function openDatabase(path: string): Database {
  try {
    const database = openSqlite(path, { timeout: BUSY_MS });
    // Exclusive: two authorities on one file would each push only its own changes.
    database.pragma('locking_mode = EXCLUSIVE');
    database.pragma('journal_mode = WAL');
    // With WAL, anything less than FULL may lose the last transactions at a power cut.
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    database.exec('BEGIN IMMEDIATE; COMMIT');
    return database;
  } catch (error) {
    throw failed(`open ${path} (is another authority running on it?)`, error);
  }
}

async function claim(db: Kysely<Tables>, trustDomain: TrustDomain): Promise<void> {
  await db
    .insertInto('state')
    .values({
      id: 1,
      trust_domain: trustDomain,
      revision: 1,
      settings: '{}',
      settings_owner: '',
      settings_generation: 0,
      settings_adopted: 0,
    })
    .onConflict((c) => c.doNothing())
    .execute();
  const { trust_domain: owner } = await db.selectFrom('state').select('trust_domain').executeTakeFirstOrThrow();
  if (owner !== trustDomain) {
    throw new SymbolonError(
      'CONFIG_INVALID',
      `the data folder belongs to the trust domain ${owner}, not to ${trustDomain}; give each its own`,
      {
        path: 'data',
        value: owner,
      },
    );
  }
}
