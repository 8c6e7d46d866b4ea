import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RunningAuthority } from '../../provider/testing/running-authority.ts';
import { run } from './run.ts';

const ROOT = join(__dirname, '../..');

/** What both programs read of `symbolon lab status --json`, and what they must leave alone. */
const FACTS = {
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

  /** Terraform in one of the two programs' folders. */
  type Program = (...args: readonly string[]) => Promise<string>;

  /** The program in a place of its own, where its state stays between calls. */
  async function cdktf(place: string, without: string): Promise<Program> {
    const directory = join(folder, `cdktf-${place}`);
    mkdirSync(directory, { recursive: true });
    const env = { ...environment(), CDKTF_OUTDIR: join(directory, 'out'), WITHOUT: without };
    await run(process.execPath, [join(ROOT, 'build/synth.js'), join(ROOT, 'examples/quickstart/main.ts')], directory, env);
    return initialised(join(directory, 'out/stacks/quickstart'), environment());
  }

  async function hcl(place: string, without: string): Promise<Program> {
    const directory = join(folder, `hcl-${place}`);
    mkdirSync(directory, { recursive: true });
    cpSync(join(ROOT, 'examples/quickstart/main.tf'), join(directory, 'main.tf'));
    return initialised(directory, { ...environment(), TF_VAR_without: without });
  }

  async function initialised(directory: string, env: NodeJS.ProcessEnv): Promise<Program> {
    const terraform: Program = (command, ...args) => run('terraform', [command ?? '', ...args], directory, env);
    await terraform('init', '-no-color', '-input=false');
    return terraform;
  }

  /** What a plan would change, without Terraform's addresses. */
  async function planned(terraform: Program): Promise<readonly string[]> {
    await terraform('plan', '-no-color', '-input=false', '-out=plan');
    const plan = JSON.parse(await terraform('show', '-json', 'plan')) as Plan;
    return plan.resource_changes
      .filter(({ change }) => change.actions.join() !== 'no-op')
      .map(({ type, change }) => `${change.actions.join()} ${type} ${JSON.stringify(change.after)}`)
      .sort();
  }

  let authority: RunningAuthority;

  beforeAll(async () => {
    authority = await RunningAuthority.start('east.example');
    folder = mkdtempSync(join(tmpdir(), 'sy-programs-'));
    const lab = { authority: { trustDomain: 'east.example', adminSocket: authority.socket }, ...FACTS };
    writeFileSync(join(folder, 'lab.json'), JSON.stringify(lab));
    writeFileSync(
      join(folder, 'cli.tfrc'),
      `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(join(ROOT, 'dist/mirror'))}\n  }\n}\n`,
    );
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await authority.close();
  });

  test.each([
    ['', 3],
    ['reports-to-payments', 2],
  ])(
    'plan the same objects, without policy %j',
    async (without, policies) => {
      const programs = await Promise.all([cdktf('plan', without), hcl('plan', without)]);
      const [first = [], second] = await Promise.all(programs.map(planned));
      expect(first).toEqual(second);
      expect(first).toHaveLength(1 + 3 + 5 + policies);
      expect(first.join('\n')).not.toContain('undeclared');
      if (without !== '') expect(first.join('\n')).not.toContain(without);
    },
    60_000,
  );

  test.each([
    ['CDKTF', cdktf],
    ['HCL', hcl],
  ] as const)(
    'in %s is applied to an authority, changed by one policy, and destroyed',
    async (_, program) => {
      const whole = await program('apply', '');
      await whole('apply', '-no-color', '-input=false', '-auto-approve');
      expect(await planned(whole)).toEqual([]);

      const changed = await program('apply', 'reports-to-payments');
      expect(await planned(changed)).toEqual(['delete symbolon_auth_policy null']);
      await changed('apply', '-no-color', '-input=false', '-auto-approve');
      expect(await planned(changed)).toEqual([]);
      await changed('destroy', '-no-color', '-input=false', '-auto-approve');
    },
    120_000,
  );
});
