// From the answer of the API call that removes a policy to the moment when an established connection is dead; and the agents' memory meanwhile.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { QUICKSTART_POLICIES, startWorld } from '../test/setup/world.ts';
import { report } from './report.ts';

const ROUNDS = 30;
const EXCHANGE_MS = 200;

function residentMegabytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) / 1024;
}

async function main(): Promise<void> {
  const world = await startWorld();
  const policy = QUICKSTART_POLICIES.find(({ name }) => name === 'web-to-payments');
  const cut: number[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const kept = await world.prober.connect('web', 'payments', 8443);
      await kept.exchange();
      const start = performance.now();
      const removing = world.removePolicy('web-to-payments').then(() => performance.now());
      // One exchange after the other: the last one that was answered is the last moment at which the connection lived.
      let lastAlive = start;
      for (;;) {
        const outcome = await kept.exchange(EXCHANGE_MS);
        if (outcome.kind !== 'answered') break;
        lastAlive = performance.now();
        await sleep(1);
      }
      cut.push(Math.max(0, lastAlive - (await removing)));
      await kept.close();
      if (policy) await world.declarePolicy(policy);
    }
    report({ what: 'policy removal: time after the API call that the connection still lived', unit: 'ms', samples: cut });
    for (const { name, agent } of world.lab.status().nodes) {
      if (agent.pid !== null) console.log(`agent of ${name}: ${residentMegabytes(agent.pid).toFixed(0)} MiB resident`);
    }
  } finally {
    await world.close();
  }
}

void main();
