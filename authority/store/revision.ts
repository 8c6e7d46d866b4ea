import type { StoreTransaction } from './schema.ts';

/** Numbers a change: the revision by which agents will learn of everything that this transaction does. Once per transaction. */
export async function nextRevision(tx: StoreTransaction): Promise<bigint> {
  const row = await tx
    .updateTable('state')
    .set((e) => ({ revision: e('revision', '+', 1) }))
    .returning('revision')
    .executeTakeFirstOrThrow();
  return BigInt(row.revision);
}

/** The newest revision. */
export async function currentRevision(tx: StoreTransaction): Promise<bigint> {
  const row = await tx.selectFrom('state').select('revision').executeTakeFirstOrThrow();
  return BigInt(row.revision);
}
