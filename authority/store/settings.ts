import type { Enforcement } from '#core/registration/entry';
import type { Ownership } from '../registry/object.ts';
import type { StoreTransaction } from './schema.ts';

/** What is declared about the trust domain itself. */
export interface SettingsBody {
  /** 0 = the authority's default. */
  readonly x509SvidTtlSeconds: number;
  /** Absent: the default, `all`. */
  readonly enforcement?: Enforcement;
  /** Every node's prefixes lie inside these; empty = no limit. */
  readonly addressPrefixes: readonly string[];
}

export interface Settings {
  readonly body: SettingsBody;
  readonly ownership: Ownership;
  /** True once somebody has declared them. */
  readonly adopted: boolean;
}

export const DEFAULT_SETTINGS: SettingsBody = { x509SvidTtlSeconds: 0, addressPrefixes: [] };

export async function readSettings(tx: StoreTransaction): Promise<Settings> {
  const row = await tx.selectFrom('state').selectAll().executeTakeFirstOrThrow();
  return {
    body: { ...DEFAULT_SETTINGS, ...(JSON.parse(row.settings) as Partial<SettingsBody>) },
    ownership: { owner: row.settings_owner, generation: BigInt(row.settings_generation) },
    adopted: row.settings_adopted === 1,
  };
}

export async function writeSettings(tx: StoreTransaction, settings: Settings): Promise<void> {
  await tx
    .updateTable('state')
    .set({
      settings: JSON.stringify(settings.body),
      settings_owner: settings.ownership.owner,
      settings_generation: Number(settings.ownership.generation),
      settings_adopted: settings.adopted ? 1 : 0,
    })
    .execute();
}
