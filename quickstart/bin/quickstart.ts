// The main job, the users' way: a CDKTF program, terraform with the built provider, the agents, and real packets.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeError } from '#core/errors/error';
import { findCheckout } from '#lab/executables';
import { type Lab, startLab } from '#lab/lab';
import { Prober } from '#lab/probe';
import { formatProofTable, isProven, type ProofRow, proofOfProbe } from '#lab/probe-table';
import { parseLabFile } from '#lab/spec-file';
import { refuseSecondLab } from '#lab/state';
import { waitForAttested } from '#lab/attested';
import { DECLARED } from '../declared.ts';
import { killAgent, removeAndRestorePolicy, reuseAddress, type Stage, stopAuthority } from '../events.ts';
import { Interruption } from '../interruption.ts';
import { QUICKSTART_ROWS } from '../rows.ts';
import { QuickstartTerraform } from '../terraform.ts';

async function timed<T>(text: string, work: () => Promise<T>): Promise<T> {
  const start = Date.now();
  const done = await work();
  console.log(`  ${text} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  return done;
}

async function prove(lab: Lab, prober: Prober, rows: ProofRow[], interruption: Interruption): Promise<void> {
  const terraform = new QuickstartTerraform(lab, process.env);
  const step = <T>(text: string, work: () => Promise<T>): Promise<T> => timed(text, () => interruption.outcomeOf(work()));
  const report = (row: ProofRow): void => {
    if (interruption.came) return;
    rows.push(row);
    console.log(
      `  ${isProven(row) ? 'ok  ' : 'FAIL'} ${row.who} > ${row.whom}, ${row.what}: ${row.seen}${isProven(row) ? '' : `, expected ${row.expected}`}`,
    );
  };
  await step('node build/synth.js examples/quickstart/main.ts: the CDKTF program becomes JSON for terraform', () => terraform.synth());
  await step('terraform init, with the provider built here', () => terraform.init());
  await step('terraform apply: trust domain, 3 nodes, 5 identities, 3 policies', () => terraform.apply());
  await step('start the agents: each joins with a one-time token and loads its gate', () => lab.agents.up());
  await step('wait until every declared workload is attested', () => waitForAttested(lab, DECLARED));
  await prober.runAll(QUICKSTART_ROWS, (result) => report(proofOfProbe(result)));
  const start = performance.now();
  const empty = await step('terraform plan', () => terraform.planIsEmpty());
  const milliseconds = performance.now() - start;
  report({
    who: 'terraform plan',
    whom: '-',
    what: 'after apply',
    expected: 'no changes',
    seen: empty ? 'no changes' : 'changes',
    milliseconds,
  });
  const stage: Stage = { lab, prober, terraform, report, step };
  await removeAndRestorePolicy(stage);
  await reuseAddress(stage);
  await killAgent(stage);
  await stopAuthority(stage);
}

function sayWhatNext(lab: Lab): void {
  const terraform = new QuickstartTerraform(lab, process.env);
  const settings = `TF_CLI_CONFIG_FILE=${terraform.environment['TF_CLI_CONFIG_FILE']} CHECKPOINT_DISABLE=1`;
  console.log(`
The lab ${lab.id} stays. Try:
  npx symbolon lab status
  npx symbolon lab exec east-1 --workload web -- ping -c 1 10.2.0.10
  npx symbolon lab exec east-1 --workload batch -- ping -c 1 10.2.0.10
  npx symbolon explain batch payments/icmp
  npx symbolon status
  npx symbolon lab exec operator -- env ${settings} terraform -chdir=${terraform.stackFolder} plan
  npx symbolon lab down`);
}

async function main(): Promise<number> {
  const keep = process.argv.includes('--keep');
  const unknown = process.argv.slice(2).filter((arg) => arg !== '--keep');
  if (unknown.length > 0) {
    console.error(`quickstart: ${unknown.join(' ')} is not known; there is --keep`);
    return 2;
  }
  if (keep) refuseSecondLab(findCheckout());
  const start = Date.now();
  const file = join(findCheckout(), 'examples/quickstart/lab.yaml');
  const spec = parseLabFile(readFileSync(file, 'utf8'), file);
  console.log('quickstart: three nodes on this machine, as namespaces');
  const lab = await timed('lab up: nodes, workloads, router, authority', () => startLab(spec));
  const prober = new Prober(lab);
  const rows: ProofRow[] = [];
  let kept = false;
  const interruption = new Interruption(['SIGINT', 'SIGTERM'], async (signal) => {
    await lab.down().finally(() => {
      console.log('quickstart: interrupted; the lab is removed');
      process.exit(signal === 'SIGINT' ? 130 : 143);
    });
  });
  try {
    await interruption.outcomeOf(prove(lab, prober, rows, interruption));
    kept = keep;
  } finally {
    prober.close();
    if (rows.length > 0) console.log(formatProofTable(rows));
    if (kept) lab.release();
    else await lab.down();
  }
  const failed = rows.filter((row) => !isProven(row)).length;
  console.log(`${rows.length - failed} of ${rows.length} as expected, ${((Date.now() - start) / 1000).toFixed(0)} s`);
  if (kept) sayWhatNext(lab);
  return failed === 0 ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(`quickstart: ${describeError(error)}`);
    process.exitCode = 1;
  },
);
