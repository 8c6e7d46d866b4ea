import { existsSync } from 'node:fs';
import type { ProcessIdentity } from './process-identity.ts';

/** What `symbolon lab status --json` prints. Paths are the machine's. */
export interface LabStatus {
  readonly id: string;
  readonly checkout: string;
  readonly owner: ProcessIdentity | null;
  readonly runFolder: string;
  readonly authority: {
    readonly trustDomain: string;
    readonly adminSocket: string;
    /** `192.0.2.1:7400`, reachable from the operator's place and from every node. */
    readonly apiAddress: string;
    readonly pid: number | null;
    readonly namespace: string;
    readonly logFile: string;
  };
  readonly operator: { readonly namespace: string; readonly addresses: readonly string[] };
  readonly router: { readonly namespace: string; readonly addresses: readonly string[] };
  readonly nodes: readonly NodeStatus[];
  readonly workloads: readonly WorkloadStatus[];
}

export interface NodeStatus {
  readonly name: string;
  readonly namespace: string;
  /** The node's first process, for nsenter. */
  readonly pid: number;
  readonly addresses: readonly string[];
  readonly prefixes: readonly string[];
  readonly uplink: string;
  readonly agent: {
    /** `absent`: not started, or ended; `starting`: no Workload API yet. */
    readonly state: 'absent' | 'starting' | 'running';
    readonly pid: number | null;
    readonly endpoint: string;
    readonly statusSocket: string;
    readonly logFile: string;
  };
  readonly workloadSocket: string;
}

export interface WorkloadStatus {
  readonly name: string;
  readonly node: string;
  readonly uid: number;
  /** The group's path in the cgroup2 hierarchy. */
  readonly cgroup: string;
  readonly namespace: string;
  readonly addresses: readonly string[];
  readonly hostInterface: string;
}

/** The state of an agent by what can be seen of it from outside. */
export function agentStateOf(pid: number | undefined, workloadSocket: string): NodeStatus['agent']['state'] {
  if (pid === undefined) return 'absent';
  return existsSync(workloadSocket) ? 'running' : 'starting';
}
