import type { Kysely, Migration, MigrationProvider } from 'kysely';

/** Never changed once released: a change of the schema is a new entry, in order of its name. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_first': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('state')
        .addColumn('id', 'integer', (c) => c.primaryKey())
        .addColumn('trust_domain', 'text', (c) => c.notNull())
        .addColumn('revision', 'integer', (c) => c.notNull())
        .addColumn('settings', 'text', (c) => c.notNull())
        .addColumn('settings_owner', 'text', (c) => c.notNull())
        .addColumn('settings_generation', 'integer', (c) => c.notNull())
        .addColumn('settings_adopted', 'integer', (c) => c.notNull())
        .execute();
      await db.schema
        .createTable('object')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('key', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('body', 'text', (c) => c.notNull())
        .addColumn('owner', 'text', (c) => c.notNull())
        .addColumn('generation', 'integer', (c) => c.notNull())
        .addColumn('created_at_s', 'integer', (c) => c.notNull())
        .addUniqueConstraint('object_key', ['kind', 'key'])
        .execute();
      await db.schema.createIndex('object_name').on('object').columns(['kind', 'name']).execute();
      await db.schema
        .createTable('join_token')
        .addColumn('hash', 'text', (c) => c.primaryKey())
        .addColumn('node', 'text', (c) => c.notNull())
        .addColumn('expires_at_s', 'integer', (c) => c.notNull())
        .execute();
      await db.schema
        .createTable('agent')
        .addColumn('node', 'text', (c) => c.primaryKey())
        .addColumn('attestation_type', 'text', (c) => c.notNull())
        .addColumn('serial_number', 'text', (c) => c.notNull())
        .addColumn('next_serial_number', 'text')
        .addColumn('expires_at_s', 'integer', (c) => c.notNull())
        .addColumn('attestation', 'integer', (c) => c.notNull())
        .addColumn('banned', 'integer', (c) => c.notNull())
        .execute();
    },
  },
  '0002_bundle': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('bundle')
        .addColumn('trust_domain', 'text', (c) => c.primaryKey())
        .addColumn('hash', 'text', (c) => c.notNull())
        .addColumn('sequence', 'integer', (c) => c.notNull())
        .execute();
    },
  },
};

/** The schema's history, compiled in: a bundle has no folder of migration files. */
export const migrationProvider: MigrationProvider = {
  getMigrations: () => Promise.resolve({ ...MIGRATIONS }),
};
