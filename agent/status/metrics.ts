import { Counter, Gauge, Registry } from 'prom-client';
import type { Counter as GateCounter } from '../datapath/contract.ts';
import type { RunningNode } from '../node/node.ts';

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

/** Counters that the gate keeps: they outlive the agent. */
function count(registry: Registry, node: RunningNode, kind: GateCounter['kind'], name: string, help: string): void {
  registry.registerMetric(
    new Counter({
      name,
      help,
      labelNames: ['reason'],
      registers: [],
      collect() {
        this.reset();
        for (const counter of node.datapath.counters())
          if (counter.kind === kind) this.inc({ reason: counter.reason }, Number(counter.count));
      },
    }),
  );
}

/** What `/metrics` of the agent's status socket says. */
export function metricsOf(node: RunningNode): Registry {
  const registry = new Registry();
  count(registry, node, 'packets refused', 'symbolon_gate_packets_refused_total', 'Packets that the gate has refused, by reason.');
  count(
    registry,
    node,
    'packets passed',
    'symbolon_gate_packets_passed_total',
    'Packets of managed workloads that have passed, waited or been answered.',
  );
  count(registry, node, 'flows refused', 'symbolon_flows_refused_total', 'Flows that this agent has refused, by reason.');
  gauge(registry, 'symbolon_pairs', 'Proven pairs that live now.', [], (pairs) => pairs.set(node.pairs.pairs().length));
  gauge(registry, 'symbolon_workloads', 'Workload interfaces of this node, by what the gate does with them.', ['gate'], (workloads) => {
    for (const { gate } of node.endpoints()) workloads.inc({ gate });
  });
  gauge(registry, 'symbolon_enforced_revision', "The newest revision of the authority's state that the gate enforces.", [], (revision) =>
    revision.set(Number(node.identity.status().enforcedRevision)),
  );
  return registry;
}
