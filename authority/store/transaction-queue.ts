import { type Kysely, sql } from 'kysely';
import { failed } from './failed.ts';
import type { StoreTransaction, Tables } from './schema.ts';

/** So many transactions share one write to the disk at most. */
const MAX_GROUP = 64;

/** By its code: the native module keeps the error class of whoever loaded it first, which `instanceof` does not know in another realm. */
function isSqliteError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && String(error.code).startsWith('SQLITE_');
}

interface Waiting {
  /** Runs the work and says how to tell its caller, once it is on the disk. */
  readonly run: (tx: StoreTransaction) => Promise<() => void>;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs transactions one after the other, and those that wait at the same time as savepoints of one SQLite transaction: nobody is answered before
 * it is on the disk, and an apply of many objects waits for few writes instead of one for each.
 */
export class TransactionQueue {
  private waiting: Waiting[] = [];
  private isRunning = false;

  constructor(private readonly db: Kysely<Tables>) {}

  add<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const run = async (tx: StoreTransaction): Promise<() => void> => {
        await sql`SAVEPOINT work`.execute(tx);
        try {
          const result = await work(tx);
          await sql`RELEASE work`.execute(tx);
          return () => resolve(result);
        } catch (error) {
          await sql`ROLLBACK TO work`.execute(tx);
          await sql`RELEASE work`.execute(tx);
          return () => reject(isSqliteError(error) ? failed('write', error) : error);
        }
      };
      this.waiting.push({ run, reject });
      if (!this.isRunning) void this.drain();
    });
  }

  private async drain(): Promise<void> {
    this.isRunning = true;
    while (this.waiting.length > 0) await this.runGroup(this.waiting.splice(0, MAX_GROUP));
    this.isRunning = false;
  }

  private async runGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const answers = await this.db.transaction().execute(async (tx) => {
        const done: (() => void)[] = [];
        for (const { run } of group) done.push(await run(tx));
        return done;
      });
      for (const answer of answers) answer();
    } catch (error) {
      // Beginning, committing or undoing failed: nothing of the group is in the store.
      for (const { reject } of group) reject(failed('write', error));
    }
  }
}
