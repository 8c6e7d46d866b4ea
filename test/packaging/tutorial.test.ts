import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { findCheckout } from '#lab/executables';

const checkout = findCheckout();
const folder = `tutorial-${process.pid}`;

/** The tutorial's commands, block by block. They name the reader's only lab and folder; here both say which. */
const blocks = [...readFileSync(join(checkout, 'docs/tutorial/quickstart.md'), 'utf8').matchAll(/^```sh\n(.*?)^```$/gms)].map(
  ([, text]) => text ?? '',
);

let lab: string | undefined;
const REFUSED = 'Packet filtered';

/** What the blocks end with: exit code, and what they have said. */
const EXPECTED: readonly (readonly [number, ...string[]])[] = [
  [0, 'is up'],
  [0, 'Resources: 12 added', 'agents running: east-1, east-2, east-3'],
  [0, '3 received'],
  [1, REFUSED],
  [1, 'no policy allows it'],
  [0, 'Resources: 0 added, 0 changed, 1 destroyed'],
  [1, REFUSED],
  [0, 'enforces it', 'passes without proof'],
  [0, 'is gone'],
];

async function run(block: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const own = block
    .replaceAll('my-quickstart', folder)
    .replaceAll('npx symbolon lab ', `npx symbolon lab ${lab === undefined ? '' : `--lab ${lab} `}`)
    .replaceAll(
      /npx symbolon (explain|status)(?! --run)/g,
      `npx symbolon $1 --admin-socket /run/sy-${lab}/authority/run/symbolon/admin.sock`,
    );
  const child = spawn('bash', ['-e', '-c', own], { cwd: checkout, env: { ...process.env, CHECKPOINT_DISABLE: '1' }, stdio: 'pipe' });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

afterAll(async () => {
  if (lab !== undefined) await run('npx symbolon lab down || true');
  rmSync(join(checkout, folder), { recursive: true, force: true });
}, 60_000);

test("the tutorial's commands do what it says", async () => {
  expect(blocks).toHaveLength(EXPECTED.length);
  for (const [i, [code, ...said]] of EXPECTED.entries()) {
    const result = await run(blocks[i] ?? '');
    lab ??= /^lab ([0-9a-f]+) is up/m.exec(result.output)?.[1];
    expect({ block: blocks[i], ...result }).toEqual({ block: blocks[i], output: expect.anything(), code });
    // oxlint-disable-next-line no-control-regex
    const text = result.output.replaceAll(/\u001b\[[0-9;]*m/g, '');
    for (const what of said) expect(text).toContain(what);
  }
}, 120_000);
