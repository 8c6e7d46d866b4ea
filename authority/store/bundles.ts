import { createHash } from 'node:crypto';
import type { X509Bundle } from '#core/spiffe/bundle';
import type { StoreTransaction } from './schema.ts';

/** The order of the authorities is part of it: who reads a bundle may try them in turn. */
function hashOf(bundle: X509Bundle): string {
  const state = createHash('sha256');
  for (const { der } of bundle.authorities) state.update(createHash('sha256').update(der).digest());
  return state.update(String(bundle.refreshHintSeconds ?? 0)).digest('hex');
}

/** The bundle with its sequence: the one it had while its content is the same, else the next (Trust Domain and Bundle section 4.1.1). From 1. */
export async function sequencedBundle(tx: StoreTransaction, bundle: X509Bundle): Promise<X509Bundle> {
  const hash = hashOf(bundle);
  const before = await tx.selectFrom('bundle').selectAll().where('trust_domain', '=', bundle.trustDomain).executeTakeFirst();
  if (before?.hash === hash) return { ...bundle, sequence: BigInt(before.sequence) };
  const row = { trust_domain: bundle.trustDomain, hash, sequence: (before?.sequence ?? 0) + 1 };
  await tx
    .insertInto('bundle')
    .values(row)
    .onConflict((c) => c.column('trust_domain').doUpdateSet(row))
    .execute();
  return { ...bundle, sequence: BigInt(row.sequence) };
}
