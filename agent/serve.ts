import { join } from 'node:path';
import type { Logger } from '#daemon/log';
import { serveStatus } from '#daemon/status-server';
import { VERSION } from '#daemon/version';
import type { AgentConfig } from './config.ts';
import { agentStatusOf } from './status/agent-status.ts';
import { metricsOf } from './status/metrics.ts';
import { serveWorkloadApi } from './workload-api/serve.ts';
import type { WorkloadApiSource } from './workload-api/source.ts';
import type { RunningNode } from './node/node.ts';

function workloadSource(node: RunningNode): WorkloadApiSource {
  return {
    entryOfNamespace: (namespace) => {
      const identity = node.endpoints().find((endpoint) => endpoint.namespace === namespace)?.identity;
      return identity && node.identity.view()?.entries.find((entry) => entry.id === identity.entryId);
    },
    credentialOf: (entryId) => node.identity.workload(entryId),
    bundles: () => node.identity.view()?.bundles ?? new Map(),
    subscribe: (listener) => node.onChange(listener),
  };
}

/** Serves the Workload API (`workload.sock`) and the node's state (`status.sock`) in the run directory. */
export async function serveNode(node: RunningNode, config: AgentConfig, log: Logger): Promise<{ close(): Promise<void> }> {
  const workloadApi = await serveWorkloadApi({
    path: join(config.runDirectory, 'workload.sock'),
    source: workloadSource(node),
    log: log.scoped('workload-api'),
  });
  const status = await serveStatus(join(config.runDirectory, 'status.sock'), {
    metrics: metricsOf(node),
    status: () =>
      agentStatusOf({
        version: VERSION,
        identity: node.identity.status(),
        endpoints: node.endpoints(),
        pairs: node.pairs.pairs().map(({ pairId, state, pair }) => ({
          pairId,
          state,
          role: pair.proven.role,
          local: pair.proven.local.id,
          peer: pair.proven.peer.id,
          peerNode: pair.peerNode,
          source: pair.proven.flow.source.text,
          destination: pair.proven.flow.destination.text,
          grants: pair.grants,
        })),
        counters: node.datapath.counters(),
        agentPort: config.listenPort,
        problems: node.problems(),
      }),
    problems: () => node.problems(),
  });
  return {
    close: async () => {
      await status.close();
      await workloadApi.close();
    },
  };
}
