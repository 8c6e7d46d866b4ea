import type { Declared } from '../registry/object.ts';
import type { ObjectKind, ObjectTable, StoreTransaction } from './schema.ts';

function declared<Body>(row: ObjectTable): Declared<Body> {
  return {
    id: row.id,
    body: JSON.parse(row.body) as Body,
    ownership: { owner: row.owner, generation: BigInt(row.generation) },
    createdAtSeconds: row.created_at_s,
  };
}

/** All objects of a kind, in the order of their creation. */
export async function listObjects<Body>(tx: StoreTransaction, kind: ObjectKind): Promise<readonly Declared<Body>[]> {
  const rows = await tx.selectFrom('object').selectAll().where('kind', '=', kind).orderBy('created_at_s').orderBy('key').execute();
  return rows.map((row) => declared<Body>(row));
}

/** Those objects of a kind whose id, key or name is the value. */
export async function findObjects<Body>(
  tx: StoreTransaction,
  kind: ObjectKind,
  by: 'id' | 'key' | 'name',
  value: string,
): Promise<readonly Declared<Body>[]> {
  const rows = await tx.selectFrom('object').selectAll().where('kind', '=', kind).where(by, '=', value).execute();
  return rows.map((row) => declared<Body>(row));
}

/** Those objects of a kind that have one of the ids, each once, in no order. */
export async function findObjectsById<Body>(
  tx: StoreTransaction,
  kind: ObjectKind,
  ids: readonly string[],
): Promise<readonly Declared<Body>[]> {
  if (ids.length === 0) return [];
  const rows = await tx.selectFrom('object').selectAll().where('kind', '=', kind).where('id', 'in', ids).execute();
  return rows.map((row) => declared<Body>(row));
}

/** Writes a new object. */
export async function insertObject(tx: StoreTransaction, row: ObjectTable): Promise<void> {
  await tx.insertInto('object').values(row).execute();
}

/** Overwrites the object of an id; the row may give it another id. */
export async function replaceObject(tx: StoreTransaction, id: string, row: ObjectTable): Promise<void> {
  await tx.updateTable('object').set(row).where('id', '=', id).execute();
}

export async function deleteObject(tx: StoreTransaction, id: string): Promise<void> {
  await tx.deleteFrom('object').where('id', '=', id).execute();
}
