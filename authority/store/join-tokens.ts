import { createHash } from 'node:crypto';
import type { StoreTransaction } from './schema.ts';

/** Tokens are 256 random bits: a plain hash suffices, and the store never holds what could be used. */
function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export async function insertJoinToken(tx: StoreTransaction, token: string, node: string, expiresAtSeconds: number): Promise<void> {
  await tx
    .insertInto('join_token')
    .values({ hash: hashToken(token), node, expires_at_s: expiresAtSeconds })
    .execute();
}

interface FoundToken {
  readonly node: string;
  readonly expiresAtSeconds: number;
}

/** Looks a token up and leaves it. Whoever finds one must still take it: another may be faster. */
export async function findJoinToken(tx: StoreTransaction, token: string): Promise<FoundToken | undefined> {
  const row = await tx.selectFrom('join_token').select(['node', 'expires_at_s']).where('hash', '=', hashToken(token)).executeTakeFirst();
  return row && { node: row.node, expiresAtSeconds: row.expires_at_s };
}

/** Takes a token out of the store: of two who try at once, one gets it. Undefined: there is no such token. It may have expired. */
export async function takeJoinToken(tx: StoreTransaction, token: string): Promise<FoundToken | undefined> {
  const row = await tx.deleteFrom('join_token').where('hash', '=', hashToken(token)).returning(['node', 'expires_at_s']).executeTakeFirst();
  return row && { node: row.node, expiresAtSeconds: row.expires_at_s };
}

export async function deleteJoinTokensOf(tx: StoreTransaction, node: string): Promise<void> {
  await tx.deleteFrom('join_token').where('node', '=', node).execute();
}

export async function deleteExpiredJoinTokens(tx: StoreTransaction, atSeconds: number): Promise<void> {
  await tx.deleteFrom('join_token').where('expires_at_s', '<=', atSeconds).execute();
}
