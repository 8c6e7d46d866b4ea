import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../lab/lab.ts';

const PATIENCE_MS = 15_000;

interface AgentStatus {
  readonly workloads: readonly { readonly identity?: string; readonly gate: string }[];
}

/** Waits until the agents have attested the workloads and hold their SVIDs. Throws after 15 s, naming those that are missing. */
export async function waitForAttested(lab: Lab, workloads: readonly string[]): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = new Set<string>();
    for (const node of lab.spec.nodes) {
      const status = JSON.parse((await lab.agents.fetch(node.name, '/status')).body) as AgentStatus;
      for (const w of status.workloads) if (w.identity !== undefined && w.gate !== 'unattested') found.add(w.identity);
    }
    const missing = workloads.filter((name) => !found.has(`spiffe://${lab.spec.trustDomain}/${name}`));
    if (missing.length === 0) return;
    if (Date.now() > deadline) throw new Error(`not attested after ${PATIENCE_MS / 1000} s: ${missing.join(', ')}`);
    await sleep(50);
  }
}
