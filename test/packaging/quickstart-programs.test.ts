import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run } from './run.ts';

const ROOT = join(__dirname, '../..');

/** What both programs read of `symbolon lab status --json`, and what they must leave alone. */
const LAB = {
  authority: { trustDomain: 'east.example', adminSocket: '/nowhere/admin.sock' },
  nodes: [1, 2, 3].map((n) => ({
    name: `east-${n}`,
    prefixes: [`10.${n}.0.0/24`, `fd00:${n}::/64`],
    agent: { state: 'absent', endpoint: `198.51.100.${n}:7420` },
  })),
  workloads: [
    ['web', 1],
    ['batch', 1],
    ['payments', 2],
    ['cache', 2],
    ['undeclared', 2],
    ['reports', 3],
  ].map(([name, n], i) => ({ name, node: `east-${n}`, uid: 1000 + i, addresses: [`10.${n}.0.${10 + i}`, `fd00:${n}::${10 + i}`] })),
};

interface Plan {
  readonly resource_changes: readonly {
    readonly type: string;
    readonly change: { readonly actions: readonly string[]; readonly after: Readonly<Record<string, unknown>> };
  }[];
}

describe('the quickstart in CDKTF and in HCL', () => {
  let folder = '';
  const environment = (): NodeJS.ProcessEnv => ({
    TF_CLI_CONFIG_FILE: join(folder, 'cli.tfrc'),
    CHECKPOINT_DISABLE: '1',
    TF_IN_AUTOMATION: '1',
    SYMBOLON_LAB: join(folder, 'lab.json'),
    TF_VAR_lab: join(folder, 'lab.json'),
  });

  /** What a plan in an empty world would create, without Terraform's addresses. */
  async function planned(directory: string, extra: NodeJS.ProcessEnv = {}): Promise<readonly string[]> {
    const env = { ...environment(), ...extra };
    await run('terraform', ['init', '-no-color', '-input=false'], directory, env);
    await run('terraform', ['plan', '-no-color', '-input=false', '-refresh=false', '-out=plan'], directory, env);
    const plan = JSON.parse(await run('terraform', ['show', '-json', 'plan'], directory, env)) as Plan;
    return plan.resource_changes.map(({ type, change }) => `${change.actions.join()} ${type} ${JSON.stringify(change.after)}`).sort();
  }

  async function ofCdktf(without: string): Promise<readonly string[]> {
    const outdir = join(folder, `cdktf-${without}`);
    const env = { ...environment(), CDKTF_OUTDIR: outdir, WITHOUT: without };
    await run(process.execPath, [join(ROOT, 'build/synth.js'), join(ROOT, 'examples/quickstart/main.ts')], folder, env);
    return planned(join(outdir, 'stacks/quickstart'));
  }

  async function ofHcl(without: string): Promise<readonly string[]> {
    const directory = join(folder, `hcl-${without}`);
    mkdirSync(directory);
    cpSync(join(ROOT, 'examples/quickstart/main.tf'), join(directory, 'main.tf'));
    return planned(directory, { TF_VAR_without: without });
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sy-programs-'));
    writeFileSync(join(folder, 'lab.json'), JSON.stringify(LAB));
    writeFileSync(
      join(folder, 'cli.tfrc'),
      `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(join(ROOT, 'dist/mirror'))}\n  }\n}\n`,
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('plan the same objects', async () => {
    const [cdktf, hcl] = await Promise.all([ofCdktf(''), ofHcl('')]);
    expect(cdktf).toEqual(hcl);
    expect(cdktf).toHaveLength(1 + 3 + 5 + 3);
    expect(cdktf.join('\n')).not.toContain('undeclared');
  }, 60_000);

  test('leave out the policy that WITHOUT names, and nothing else', async () => {
    const [cdktf, hcl] = await Promise.all([ofCdktf('reports-to-payments'), ofHcl('reports-to-payments')]);
    expect(cdktf).toEqual(hcl);
    expect(cdktf).toHaveLength(1 + 3 + 5 + 2);
    expect(cdktf.join('\n')).not.toContain('reports-to-payments');
  }, 60_000);
});
