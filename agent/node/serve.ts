import { join } from 'node:path';
import { Gauge, Registry } from 'prom-client';
import type { Logger } from '#daemon/log';
import { serveStatus } from '#daemon/status-server';
import { VERSION } from '#daemon/version';
import type { AgentConfig } from '../config.ts';
import { agentStatusOf } from '../status/agent-status.ts';
import { serveWorkloadApi } from '../workload-api/serve.ts';
import type { WorkloadApiSource } from '../workload-api/source.ts';
import type { RunningNode } from './node.ts';

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

/** A gauge that is read from the node's present state whenever somebody asks. */
function gauge(registry: Registry, name: string, help: string, labelNames: string[], read: (gauge: Gauge) => void): void {
  registry.registerMetric(
    new Gauge({
      name,
      help,
      labelNames,
      registers: [],
      collect() {
        this.reset();
        read(this);
      },
    }),
  );
}

function metricsOf(node: RunningNode): Registry {
  const registry = new Registry();
  gauge(
    registry,
    'symbolon_packets_refused',
    'Packets that the gate has refused since it was loaded, by reason.',
    ['reason'],
    (refused) => {
      for (const { reason, packets } of node.datapath.counters()) refused.set({ reason }, Number(packets));
    },
  );
  gauge(registry, 'symbolon_pairs', 'Proven pairs that live now.', [], (pairs) => pairs.set(node.pairs.pairs().length));
  gauge(registry, 'symbolon_workloads', 'Workload interfaces of this node, by what the gate does with them.', ['gate'], (workloads) => {
    for (const { gate } of node.endpoints()) workloads.inc({ gate });
  });
  gauge(registry, 'symbolon_enforced_revision', "The newest revision of the authority's state that the gate enforces.", [], (revision) =>
    revision.set(Number(node.identity.status().enforcedRevision)),
  );
  return registry;
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
