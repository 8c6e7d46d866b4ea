import type { TrustDomain } from '#core/spiffe/id';
import { nodeSpiffeId } from '#core/registration/node-id';
import type { Handlers } from '#daemon/grpc/service';
import type { NodeSyncService, SyncState } from '#proto/gen/symbolon/authority/sync';
import { readReports } from '../push/read-reports.ts';
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

/** symbolon.authority.v1.NodeSync. */
export function nodeSyncService(context: ServiceContext): Handlers<typeof NodeSyncService> {
  const { hub, authorisation, clock, trustDomain, log } = context;
  return {
    async *synchronize(reports, call) {
      const { node, attestation } = authorisation.nodeOf(call);
      const connection = hub.connect(node, attestation);
      log.info({ node }, 'a node agent has connected');
      readReports(reports, connection, clock).catch((error: unknown) => log.debug({ error, node }, 'the stream of reports broke'));
      try {
        for await (const snapshot of connection.snapshots) yield syncState(snapshot, node, trustDomain);
      } finally {
        connection.close();
        log.info({ node }, 'a node agent has gone');
      }
    },
  };
}
