// What the gate costs once a pair lives: ping-pong and bulk between two nodes, gated against ungated, measured in turns in one run. Client, server and the packets
// between them share one processor (taskset), so that every cost counts.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { findCheckout } from '#lab/executables';
import { type Lab, startLab } from '#lab/lab';
import { quickstartSpec, startWorld } from '../test/setup/world.ts';
import { report, reportRatio } from './report.ts';

const PORT = 8443;
const ROUNDS = 11;
const ROUND_TRIPS = 20_000;
const BULK_MS = 1000;
const PROCESSOR = '1';

const checkout = findCheckout();
const tool = join(checkout, 'dist/bench/traffic');
const servers: ChildProcess[] = [];

function command(lab: Lab, workload: string, args: readonly string[]): readonly string[] {
  const { node } = lab.workload(workload);
  return ['taskset', '-c', PROCESSOR, ...lab.commandFor({ place: node.name, workload }, [tool, ...args])];
}

async function serve(lab: Lab): Promise<void> {
  const [file = '', ...args] = command(lab, 'payments', ['serve', String(PORT)]);
  const server = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  servers.push(server);
  await new Promise((resolve) => server.stdout.once('data', resolve));
}

function measure(lab: Lab, family: 4 | 6, args: readonly [string, string]): number {
  const [mode, amount] = args;
  const [file = '', ...rest] = command(lab, 'web', [mode, lab.addressOf('payments', family), String(PORT), amount]);
  return Number(execFileSync(file, rest, { encoding: 'utf8', timeout: 60_000 }));
}

async function main(): Promise<void> {
  const world = await startWorld({ policies: [{ name: 'bench', from: ['web'], to: ['payments'], traffic: [`tcp/${PORT}-${PORT + 1}`] }] });
  const bare = await startLab(quickstartSpec(), { authority: false });
  try {
    await serve(world.lab);
    await serve(bare);
    for (const family of [4, 6] as const) {
      for (const [name, unit, args] of [
        ['ping-pong', 'ns', ['pingpong', String(ROUND_TRIPS)]],
        ['bulk', 'bit/s', ['bulk', String(BULK_MS)]],
      ] as const) {
        const pairs: [number, number][] = [];
        for (let round = 0; round < ROUNDS; round++) {
          // In turns, and the order in turns.
          const gatedFirst = round % 2 === 0;
          const first = measure(gatedFirst ? world.lab : bare, family, args);
          const second = measure(gatedFirst ? bare : world.lab, family, args);
          pairs.push(gatedFirst ? [first, second] : [second, first]);
        }
        report({ what: `IPv${family} ${name}, gated`, unit, samples: pairs.map(([gated]) => gated) });
        report({ what: `IPv${family} ${name}, ungated`, unit, samples: pairs.map(([, ungated]) => ungated) });
        reportRatio(`IPv${family} ${name}, gated/ungated`, pairs);
      }
    }
  } finally {
    for (const server of servers) server.kill('SIGKILL');
    await bare.down();
    await world.close();
  }
}

void main();
