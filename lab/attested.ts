import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from './lab.ts';

const PATIENCE_MS = 15_000;
const POLL_MS = 50;

interface AgentStatus {
  readonly workloads: readonly { readonly identity?: string; readonly gate: string; readonly problem?: string }[];
}

/** Waits until the agents of the workloads' nodes have attested them and hold their SVIDs. Throws after 15 s, naming those that are missing. */
export async function waitForAttested(lab: Lab, workloads: readonly string[]): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const missing: string[] = [];
    for (const name of workloads) {
      const { workloads: known } = JSON.parse((await lab.agents.fetch(lab.workload(name).node.name, '/status')).body) as AgentStatus;
      const found = known.find((w) => w.identity === `spiffe://${lab.spec.trustDomain}/${name}`);
      if (!found || found.gate === 'unattested') missing.push(`${name} (${found?.problem ?? 'not found'})`);
    }
    if (missing.length === 0) return;
    if (Date.now() > deadline) throw new Error(`not attested after ${PATIENCE_MS / 1000} s: ${missing.join(', ')}`);
    await sleep(POLL_MS);
  }
}
