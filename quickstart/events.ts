import type { Lab } from '#lab/lab';
import { type ProofRow, proofOfProbe } from '#lab/probe-table';
import type { KeptConnection, Prober, ProbeRow } from '#lab/probe';
import { NOTHING_SENT, type SendOutcome } from '#lab/probe-protocol';
import { waitForAttested } from '#lab/attested';
import type { QuickstartTerraform } from './terraform.ts';

const WEB: ProbeRow = { from: 'web', to: 'payments', protocol: 'tcp', port: 8443, family: 4, expected: 'passed' };
const PING = { from: 'web', to: 'payments', protocol: 'echo', expected: 'passed' } as const;
const REPORTS: ProbeRow = { ...WEB, from: 'reports' };
const POLICY = 'reports-to-payments';
/** A connection that does not answer for so long is cut: the lab's round trip takes a millisecond. */
const CUT_MS = 500;

export interface Stage {
  readonly lab: Lab;
  readonly prober: Prober;
  readonly terraform: QuickstartTerraform;
  report(row: ProofRow): void;
  step<T>(text: string, work: () => Promise<T>): Promise<T>;
}

/** Whether a connection that was opened before still carries data. */
async function reportConnection(
  stage: Stage,
  who: string,
  kept: KeptConnection,
  expected: 'goes on' | 'is cut',
  note: string,
): Promise<void> {
  const outcome = await kept.exchange(CUT_MS);
  const seen = await seenOf(kept, outcome);
  stage.report({ who, whom: 'payments', what: 'tcp 8443, established', expected, seen, milliseconds: outcome.ms, note });
}

/** What an exchange shows. A connection that was over before it proves nothing, and what arrives without an answer is not cut. */
async function seenOf(kept: KeptConnection, outcome: SendOutcome): Promise<string> {
  if (outcome.kind === 'answered') return 'goes on';
  if (outcome.code === NOTHING_SENT) return 'nothing was sent';
  return (await kept.arrived()) ? 'arrives' : 'is cut';
}

async function report(stage: Stage, row: ProbeRow, note: string): Promise<void> {
  stage.report(proofOfProbe(await stage.prober.run({ ...row, note })));
}

/** A second apply without a policy cuts what it had allowed; a third one lets new connections in, and the old one stays dead. */
export async function removeAndRestorePolicy(stage: Stage): Promise<void> {
  const { terraform, prober } = stage;
  const kept = await prober.connect('reports', 'payments', 8443);
  // Says nothing while it is cut, so that nobody tells it: its socket is alive when the policy is back, and what it sends then is sent.
  const silent = await prober.connect('reports', 'payments', 8443);
  await reportConnection(stage, 'reports', kept, 'goes on', 'before');
  await stage.step(`terraform apply without the policy ${POLICY}`, async () => {
    await terraform.synth(POLICY);
    await terraform.apply();
  });
  await reportConnection(stage, 'reports', kept, 'is cut', 'its policy was removed');
  await report(stage, { ...REPORTS, expected: 'refused' }, 'its policy was removed');
  await stage.step('terraform apply with it again', async () => {
    await terraform.synth();
    await terraform.apply();
  });
  await report(stage, REPORTS, 'its policy is back');
  await reportConnection(stage, 'reports', silent, 'is cut', 'opened before, silent meanwhile: what was cut stays cut');
}

/** kill -9 of an agent, and its restart: the established connection goes on all the time. */
export async function killAgent(stage: Stage): Promise<void> {
  const { lab, prober } = stage;
  const kept = await prober.connect('web', 'payments', 8443);
  await stage.step('kill -9 of the agent of east-2', () => lab.agents.kill(['east-2']));
  await reportConnection(stage, 'web', kept, 'goes on', 'agent of east-2 killed');
  await stage.step('start it again', async () => {
    await lab.agents.up(['east-2']);
    await waitForAttested(lab, ['payments', 'cache']);
  });
  await reportConnection(stage, 'web', kept, 'goes on', 'agent of east-2 restarted');
  await report(stage, WEB, 'agent of east-2 restarted');
  await kept.close();
}

/** The authority stopped: what is authenticated goes on, and new pairs are authenticated, until the SVIDs expire. */
export async function stopAuthority(stage: Stage): Promise<void> {
  const { lab, prober } = stage;
  const kept = await prober.connect('web', 'payments', 8443);
  await stage.step('stop the authority', () => lab.authority.stop());
  await reportConnection(stage, 'web', kept, 'goes on', 'authority stopped');
  await report(stage, { ...WEB, family: 6 }, 'authority stopped');
  await stage.step('start it again', () => lab.authority.start());
  await kept.close();
}

/** A workload is deleted and its address given to another one, which inherits nothing. */
export async function reuseAddress(stage: Stage): Promise<void> {
  const { lab, prober } = stage;
  await stage.step('delete web, and give its addresses to impostor, which nobody declared', async () => {
    prober.forget('web');
    await lab.replaceWorkload('web', { name: 'impostor', uid: 1999 });
  });
  await report(stage, { ...WEB, from: 'impostor', expected: 'refused' }, 'has the address, not the identity');
  await report(stage, { ...WEB, from: 'impostor', family: 6, expected: 'refused' }, 'has the address, not the identity');
  await stage.step('give them back to web', async () => {
    prober.forget('impostor');
    await lab.replaceWorkload('impostor', { name: 'web', uid: 1001 });
    await waitForAttested(lab, ['web']);
  });
  // Nobody sends a ping again: one that waits for its pair comes late, one that is lost fails the row.
  await report(stage, { ...PING, family: 4 }, 'web is back; first packet of the pair: one ping');
  await report(stage, { ...PING, family: 6 }, 'first packet of the pair: one ping');
  await report(stage, WEB, 'web is back, and has proven itself again');
}
