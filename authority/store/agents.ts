import type { AgentTable, StoreTransaction } from './schema.ts';

/** A node that has attested. */
export interface AgentRecord {
  readonly node: string;
  readonly attestationType: string;
  readonly serialNumber: string;
  /** Serial number of a renewed SVID that has not been used yet. */
  readonly nextSerialNumber?: string;
  readonly expiresAtSeconds: number;
  /** Counts the node's attestations, from 1. */
  readonly attestation: number;
  readonly banned: boolean;
}

function record(row: AgentTable): AgentRecord {
  return {
    node: row.node,
    attestationType: row.attestation_type,
    serialNumber: row.serial_number,
    ...(row.next_serial_number === null ? {} : { nextSerialNumber: row.next_serial_number }),
    expiresAtSeconds: row.expires_at_s,
    attestation: row.attestation,
    banned: row.banned === 1,
  };
}

export async function findAgent(tx: StoreTransaction, node: string): Promise<AgentRecord | undefined> {
  const row = await tx.selectFrom('agent').selectAll().where('node', '=', node).executeTakeFirst();
  return row && record(row);
}

export async function listAgents(tx: StoreTransaction): Promise<readonly AgentRecord[]> {
  return (await tx.selectFrom('agent').selectAll().orderBy('node').execute()).map(record);
}

export async function writeAgent(tx: StoreTransaction, agent: AgentRecord): Promise<void> {
  const row: AgentTable = {
    node: agent.node,
    attestation_type: agent.attestationType,
    serial_number: agent.serialNumber,
    next_serial_number: agent.nextSerialNumber ?? null,
    expires_at_s: agent.expiresAtSeconds,
    attestation: agent.attestation,
    banned: agent.banned ? 1 : 0,
  };
  await tx
    .insertInto('agent')
    .values(row)
    .onConflict((c) => c.column('node').doUpdateSet(row))
    .execute();
}

export async function deleteAgent(tx: StoreTransaction, node: string): Promise<boolean> {
  const result = await tx.deleteFrom('agent').where('node', '=', node).executeTakeFirst();
  return result.numDeletedRows > 0n;
}
