import type { TrustDomain } from '#core/spiffe/id';
import { nodeSpiffeId } from '#core/registration/node-id';
import type { Handlers } from '#daemon/grpc/service';
import type { NodeSyncService, SyncReport, SyncState } from '#proto/gen/symbolon/authority/sync';
import type { AgentConnection } from '../push/hub.ts';
import type { Snapshot } from '../push/snapshot.ts';
import type { ServiceContext } from './context.ts';
import { identityMessage, nodeMessage, policyMessage, settingsMessage } from './messages.ts';

function syncState(snapshot: Snapshot, node: string, trustDomain: TrustDomain): SyncState {
  return {
    revision: snapshot.revision,
    settings: settingsMessage(snapshot.settings, trustDomain),
    identities: (snapshot.identitiesByParent.get(nodeSpiffeId(trustDomain, node)) ?? []).map(identityMessage),
    policies: snapshot.policies.map(policyMessage),
    nodes: snapshot.nodes.map((other) => nodeMessage(other, trustDomain)),
    bundles: snapshot.bundles.map((bundle) => ({
      trustDomain: bundle.trustDomain,
      x509Authorities: bundle.authorities.map((authority) => Buffer.from(authority.der)),
      sequence: bundle.sequence,
      refreshHintSeconds: bundle.refreshHintSeconds ?? 0,
    })),
  };
}

/** Takes in what the agent reports until its side of the stream ends; then the whole stream does. */
async function readReports(reports: AsyncIterable<SyncReport>, connection: AgentConnection): Promise<void> {
  try {
    for await (const report of reports) connection.report(report);
  } finally {
    connection.close();
  }
}

/** symbolon.authority.v1.NodeSync. */
export function nodeSyncService(context: ServiceContext): Handlers<typeof NodeSyncService> {
  const { hub, authorisation, trustDomain, log } = context;
  return {
    async *synchronize(reports, call) {
      const { node, attestation } = authorisation.nodeOf(call);
      const connection = hub.connect(node, attestation);
      log.info({ node }, 'a node agent has connected');
      readReports(reports, connection).catch((error: unknown) => log.debug({ error, node }, 'the stream of reports broke'));
      try {
        for await (const snapshot of connection.snapshots) yield syncState(snapshot, node, trustDomain);
      } finally {
        connection.close();
        log.info({ node }, 'a node agent has gone');
      }
    },
  };
}
