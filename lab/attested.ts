import { setTimeout as sleep } from 'node:timers/promises';
import { describeError } from '#core/errors/error';
import type { Lab } from './lab.ts';

const PATIENCE_MS = 15_000;
const POLL_MS = 50;

interface AgentStatus {
  readonly workloads: readonly { readonly identity?: string; readonly gate: string; readonly problem?: string }[];
}

/** What keeps a workload from being attested; undefined: nothing. */
async function problemOf(lab: Lab, name: string): Promise<string | undefined> {
  try {
    const { workloads } = JSON.parse((await lab.agents.fetch(lab.workload(name).node.name, '/status')).body) as AgentStatus;
    const found = workloads.find((w) => w.identity === `spiffe://${lab.spec.trustDomain}/${name}`);
    if (!found || found.gate === 'unattested') return found?.problem ?? 'not found';
    return found.problem;
  } catch (error) {
    // An agent that is just starting, beside the socket of one that was killed.
    return describeError(error);
  }
}

/** Waits until the agents of the workloads' nodes have attested them and hold their SVIDs. Throws after 15 s, naming those that are missing. */
export async function waitForAttested(lab: Lab, workloads: readonly string[]): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const missing: string[] = [];
    for (const name of workloads) {
      const problem = await problemOf(lab, name);
      if (problem !== undefined) missing.push(`${name} (${problem})`);
    }
    if (missing.length === 0) return;
    if (Date.now() > deadline) throw new Error(`not attested after ${PATIENCE_MS / 1000} s: ${missing.join(', ')}`);
    await sleep(POLL_MS);
  }
}
