import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseIpAddress } from '#core/network/address';
import { formatSelector } from '#core/registration/selector';
import { selectorsOfProcess } from '../../agent/attestation/process.ts';
import { startWorld, type World } from '../setup/world.ts';

const WEB_UID = 1001;
const FORGER_UID = 1666;
/** Longer than the agent goes without looking at its node's processes. */
const LOOKED_AT_MS = 6500;

let world: World;
beforeAll(async () => {
  world = await startWorld();
}, 120_000);
afterAll(async () => {
  await world?.close();
});

/** Reads the status as lines that may end anywhere where JavaScript sees a line end. */
function naiveUid(status: string): string | undefined {
  return /^Uid:\t\d+\t(\d+)/m.exec(status)?.[1];
}

test('a process that writes another’s user into its own name gets no identity; a reader that believes in carriage returns would give it one', async () => {
  await world.lab.addWorkload('east-1', { name: 'forger', uid: FORGER_UID, addresses: [parseIpAddress('10.1.0.66')] });
  // It ends what else runs in the workload: a namespace has one identity.
  const script = `kill -9 -1; printf '\\rUid:\\t0\\t${WEB_UID}' >/proc/$$/comm; echo $$; read -r end`;
  const [command = '', ...args] = world.lab.commandFor({ place: 'east-1', workload: 'forger' }, ['sh', '-c', script]);
  const forger = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const pid = await new Promise<string>((resolve) => createInterface({ input: forger.stdout }).once('line', resolve));
    const { stdout } = await world.lab.exec({ place: 'east-1' }, ['cat', `/proc/${pid}/status`]);
    expect(naiveUid(stdout)).toBe(String(WEB_UID));
    expect(selectorsOfProcess(stdout, '')?.map(formatSelector)[0]).toBe(`unix:uid:${FORGER_UID}`);
    await new Promise((resolve) => setTimeout(resolve, LOOKED_AT_MS));
    const { workloads } = await world.agentStatus('east-1');
    expect(workloads.filter((w) => w.identity === world.spiffeId('web'))).toHaveLength(1);
    expect(workloads).toContainEqual(expect.objectContaining({ addresses: ['10.1.0.66'], gate: 'unmanaged' }));
  } finally {
    forger.kill();
  }
}, 60_000);
