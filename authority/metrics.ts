import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CallContext } from '#daemon/grpc/service';
import type { PushHub } from './push/hub.ts';

/** What the authority counts. */
export interface AuthorityMetrics {
  readonly registry: Registry;
  readonly onCall: (call: CallContext, result: { readonly status: number; readonly ms: number }) => void;
}

/** Names of metrics begin with `symbolon_authority_`; the process's own with `process_` and `nodejs_`. */
export function createMetrics(hub: PushHub): AuthorityMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const calls = new Counter({
    name: 'symbolon_authority_calls_total',
    help: 'gRPC calls by method and status code',
    labelNames: ['method', 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'symbolon_authority_call_seconds',
    help: 'Duration of gRPC calls; streams count from their first to their last message',
    labelNames: ['method'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  });
  const connected = new Gauge({ name: 'symbolon_authority_connected_agents', help: 'Node agents whose stream is open', registers });
  hub.onChange(() => connected.set(hub.connectedAgents));
  return {
    registry,
    onCall: (call, { status, ms }) => {
      calls.inc({ method: call.path, status: String(status) });
      seconds.observe({ method: call.path }, ms / 1000);
    },
  };
}
