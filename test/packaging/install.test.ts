import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { mirrorPath } from '../../provider/testing/mirror.ts';
import { run } from './run.ts';

const ROOT = join(__dirname, '../..');
const text = readFileSync(join(ROOT, 'docs/how-to/install-the-provider.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'sy-install-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('terraform finds the provider by what the how-to says', async () => {
  const [cli = '', configuration = ''] = [...text.matchAll(/^```hcl\n(.*?)^```$/gms)].map((block) => block[1] ?? '');
  writeFileSync(join(folder, 'cli.tfrc'), cli.replace('/opt/symbolon', ROOT));
  writeFileSync(join(folder, 'main.tf'), configuration);
  const environment = { TF_CLI_CONFIG_FILE: join(folder, 'cli.tfrc'), CHECKPOINT_DISABLE: '1' };
  expect(await run('terraform', ['init', '-no-color', '-input=false'], folder, environment)).toContain('Installed symbolon/symbolon v');
  // Another build of the same version: as it says, not before the lock file's block is gone.
  const built = mirrorPath(join(folder, 'mirror'));
  cpSync(join(ROOT, 'dist/mirror'), join(folder, 'mirror'), { recursive: true });
  appendFileSync(built, '// another build\n');
  writeFileSync(join(folder, 'cli.tfrc'), cli.replace('/opt/symbolon/dist', folder));
  rmSync(join(folder, '.terraform'), { recursive: true });
  await expect(run('terraform', ['init', '-no-color', '-input=false'], folder, environment)).rejects.toThrow('checksums');
  rmSync(join(folder, '.terraform.lock.hcl'));
  await run('terraform', ['init', '-no-color', '-input=false'], folder, environment);
  // Without the mirror it is nowhere: the text is what makes the difference.
  writeFileSync(join(folder, 'cli.tfrc'), cli.replace('/opt/symbolon', folder));
  rmSync(join(folder, '.terraform'), { recursive: true });
  await expect(run('terraform', ['init', '-no-color', '-input=false'], folder, environment)).rejects.toThrow('symbolon/symbolon');
}, 60_000);

test('every file and command that it names is there', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Readonly<
    Record<string, Readonly<Record<string, string>>>
  >;
  const peers = /cdktf@(\S+) constructs@(\S+)/.exec(text);
  expect(manifest['devDependencies']?.['cdktf']).toMatch(new RegExp(`^${peers?.[1]}`));
  expect(manifest['devDependencies']?.['constructs']).toMatch(new RegExp(`^${peers?.[2]}`));
  expect(readFileSync(join(ROOT, 'build/build.js'), 'utf8')).toMatch(/provider: async.*constructs: async/s);
});
