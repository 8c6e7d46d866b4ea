import type { X509Bundle } from '#core/spiffe/bundle';
import type { IdentityBody } from '../registry/identity.ts';
import type { NodeBody } from '../registry/node.ts';
import type { Declared } from '../registry/object.ts';
import type { PolicyBody } from '../registry/policy.ts';
import { listAgents } from '../store/agents.ts';
import { listObjects } from '../store/objects.ts';
import { currentRevision } from '../store/revision.ts';
import type { StoreTransaction } from '../store/schema.ts';
import { readSettings, type Settings } from '../store/settings.ts';

/** Everything that nodes are told, as of one revision. Immutable; shared by all connections. */
export interface Snapshot {
  readonly revision: bigint;
  readonly settings: Settings;
  readonly identitiesByParent: ReadonlyMap<string, readonly Declared<IdentityBody>[]>;
  readonly policies: readonly Declared<PolicyBody>[];
  /** Without banned nodes: their peers must not speak with them. */
  readonly nodes: readonly Declared<NodeBody>[];
  readonly bundles: readonly X509Bundle[];
  /** By node: the number of its newest attestation. Nodes that may not be connected are absent. */
  readonly attestations: ReadonlyMap<string, number>;
}

function byParent(identities: readonly Declared<IdentityBody>[]): ReadonlyMap<string, readonly Declared<IdentityBody>[]> {
  const groups = new Map<string, Declared<IdentityBody>[]>();
  for (const identity of identities) {
    const group = groups.get(identity.body.parentId);
    if (group) group.push(identity);
    else groups.set(identity.body.parentId, [identity]);
  }
  return groups;
}

/** Reads a snapshot; all of it in the one transaction. */
export async function readSnapshot(tx: StoreTransaction, bundles: readonly X509Bundle[]): Promise<Snapshot> {
  const agents = await listAgents(tx);
  const banned = new Set(agents.filter((agent) => agent.banned).map((agent) => agent.node));
  const nodes = await listObjects<NodeBody>(tx, 'node');
  const identities = await listObjects<IdentityBody>(tx, 'identity');
  return {
    revision: await currentRevision(tx),
    settings: await readSettings(tx),
    identitiesByParent: byParent(identities),
    policies: await listObjects<PolicyBody>(tx, 'policy'),
    nodes: nodes.filter((node) => !banned.has(node.body.name)),
    bundles,
    attestations: new Map(agents.filter((agent) => !agent.banned).map((agent) => [agent.node, agent.attestation])),
  };
}
