import type { Transaction } from 'kysely';

/** What kinds of declared objects there are; each has its own names. */
export type ObjectKind = 'identity' | 'node' | 'policy';

/** One row: which trust domain this is, its settings, and the number of the newest revision. */
export interface StateTable {
  /** Always 1. */
  id: number;
  trust_domain: string;
  revision: number;
  /** Canonical JSON of the settings; see registry/settings.ts. */
  settings: string;
  settings_owner: string;
  settings_generation: number;
  /** 1 once somebody has declared the settings. */
  settings_adopted: number;
}

/** Everything declared, whatever its kind: ownership and generations work alike for all. */
export interface ObjectTable {
  id: string;
  kind: ObjectKind;
  /** What must be unique within the kind: a node's or policy's name; an identity's ID, parent and selectors. */
  key: string;
  /** What people call it, for GetRequest.name: a name or a SPIFFE ID. */
  name: string;
  /** Canonical JSON: two objects say the same exactly when their bodies are the same text. */
  body: string;
  owner: string;
  generation: number;
  created_at_s: number;
}

/** Unused tokens only: using one deletes its row. */
export interface JoinTokenTable {
  /** SHA-256 of the token, hex. */
  hash: string;
  node: string;
  expires_at_s: number;
}

/** Nodes that have attested. */
export interface AgentTable {
  node: string;
  attestation_type: string;
  /** Serial number of the SVID in use, lower-case hex. */
  serial_number: string;
  /** That of a renewed SVID which has not been used yet; both are accepted until then. */
  next_serial_number: string | null;
  expires_at_s: number;
  /** Counts attestations: a connection of an earlier one is cut. */
  attestation: number;
  banned: number;
}

/** What has been told of a trust domain's bundle. */
export interface BundleTable {
  trust_domain: string;
  /** SHA-256 of its content, hex. */
  hash: string;
  /** spiffe_sequence: another one whenever the content is another. */
  sequence: number;
}

export interface Tables {
  state: StateTable;
  object: ObjectTable;
  join_token: JoinTokenTable;
  agent: AgentTable;
  bundle: BundleTable;
}

/** What work inside `Store.transact` reads and writes with. */
export type StoreTransaction = Transaction<Tables>;
