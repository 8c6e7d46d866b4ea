import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { findCheckout } from '#lab/executables';
import { findLabs } from '#lab/state';

/** The step before the agents are started: its line comes when it is done. */
const APPLIED = 'terraform apply: trust domain';

let end = (): void => undefined;
// One that the test has not ended removes its lab itself.
afterEach(() => end());

test('Ctrl-C while the agents start: the lab is removed, and nothing else is said', async () => {
  // A group of its own, as a terminal gives it: the signal reaches all that it has started.
  const child = spawn(process.execPath, [join(findCheckout(), 'dist/lab/quickstart.js')], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  end = () => void child.kill('SIGTERM');
  const closed = once(child, 'close') as Promise<[code: number | null]>;
  let output = '';
  let complaints = '';
  let lab: string | undefined;
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (lab !== undefined || !output.includes(APPLIED)) return;
    lab = findLabs().find(({ state }) => state?.owner?.pid === child.pid)?.id ?? 'none';
    process.kill(-(child.pid ?? 0), 'SIGINT');
  });
  const [code] = await closed;
  expect({ code, complaints }).toEqual({ code: 130, complaints: '' });
  const [said] = output.split('\n').slice(-2);
  expect(said).toBe('quickstart: interrupted; the lab is removed');
  expect(output.split('\n').findIndex((line) => line.includes(APPLIED))).toBe(output.split('\n').length - 3);
  expect(lab).not.toBe('none');
  expect(existsSync(`/run/sy-${lab}`)).toBe(false);
}, 180_000);
