import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const ROOT = join(__dirname, '../..');

/** What `symbolon lab status --json` says, as far as the program reads it. */
const LAB = {
  authority: { adminSocket: '/run/authority/admin.sock' },
  nodes: [1, 2, 3].map((n) => ({ name: `east-${n}`, prefixes: [`10.${n}.0.0/24`], agent: { endpoint: `198.51.100.${n}:7420` } })),
  workloads: ['web', 'batch', 'payments', 'cache', 'reports'].map((name, i) => ({
    name,
    node: `east-${1 + (i >> 1)}`,
    uid: 1000 + i,
    addresses: [`10.${1 + (i >> 1)}.0.${10 + i}`],
  })),
};

interface CdktfJson {
  readonly language: string;
  readonly app: string;
  readonly projectId: string;
  readonly sendCrashReports: string;
  readonly context: Readonly<Record<string, unknown>>;
}

/**
 * Runs the `app` of a cdktf.json as cdktf-cli 0.21 does (cli-core's synth-stack.ts): by the shell, in the project's folder, without the variables that are
 * meant for terraform, with the output folder and the context of cdktf.json in the environment.
 */
function runApp({ app, context }: CdktfJson, output: string, environment: Readonly<Record<string, string>>) {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TF_VAR_')));
  const { status, stderr } = spawnSync(app, {
    shell: true,
    cwd: ROOT,
    encoding: 'utf8',
    env: {
      ...inherited,
      NODE_OPTIONS: '--max-old-space-size=4096',
      CDKTF_OUTDIR: output,
      CDKTF_CONTINUE_SYNTH_ON_ERROR_ANNOTATIONS: 'true',
      CDKTF_CONTEXT_JSON: JSON.stringify(context),
      ...environment,
    },
  });
  return { status, stderr };
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sy-cdktf-'));
  writeFileSync(join(folder, 'lab.json'), JSON.stringify(LAB));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (...path: readonly string[]): unknown => JSON.parse(readFileSync(join(...path), 'utf8'));
const settings = read(ROOT, 'cdktf.json') as CdktfJson;
const { version } = read(ROOT, 'node_modules/cdktf/package.json') as { readonly version: string };

test('cdktf.json says what cdktf-cli asks for', () => {
  // Without a project id and a word about crash reports it asks a person, and without a language it does not know what to do.
  expect(settings).toMatchObject({ language: 'typescript', projectId: expect.stringMatching(/./), sendCrashReports: 'false', context: {} });
});

test('its app synthesises the quickstart into the folder that cdktf-cli names, and nothing into the checkout', () => {
  const left = () => ['cdktf.out', 'terraform.quickstart.tfstate'].filter((name) => existsSync(join(ROOT, name)));
  const before = left();
  const output = join(folder, 'out');
  expect(runApp(settings, output, { SYMBOLON_LAB: join(folder, 'lab.json') })).toEqual({ status: 0, stderr: '' });
  expect(left()).toEqual(before);

  // What cdktf-cli reads next: the manifest, and each stack's file where that says that it is.
  const manifest = read(output, 'manifest.json') as { readonly version: string; readonly stacks: Record<string, Record<string, unknown>> };
  expect(manifest).toMatchObject({
    version,
    stacks: {
      quickstart: {
        name: 'quickstart',
        synthesizedStackPath: 'stacks/quickstart/cdk.tf.json',
        workingDirectory: 'stacks/quickstart',
        dependencies: [],
      },
    },
  });
  expect(Object.keys(manifest.stacks)).toEqual(['quickstart']);
  const stack = read(output, 'stacks/quickstart/cdk.tf.json') as {
    readonly '//': { readonly metadata: object };
    readonly provider: object;
    readonly resource: Readonly<Record<string, Readonly<Record<string, object>>>>;
    readonly terraform: object;
  };
  expect(stack['//'].metadata).toMatchObject({ stackName: 'quickstart', version });
  expect(stack.terraform).toMatchObject({ required_providers: { symbolon: { source: 'symbolon/symbolon' } } });
  expect(stack.provider).toMatchObject({
    symbolon: [{ authorities: { 'east.example': { unix_socket: '/run/authority/admin.sock' } } }],
  });
  expect(Object.entries(stack.resource).map(([type, rows]) => [type, Object.keys(rows).length])).toEqual([
    ['symbolon_auth_policy', 3],
    ['symbolon_identity', 5],
    ['symbolon_node', 3],
    ['symbolon_trust_domain', 1],
  ]);
});

test('an app that cannot synthesise fails, and says why', () => {
  const { status, stderr } = runApp(settings, join(folder, 'failed'), { SYMBOLON_LAB: '' });
  expect([status, stderr]).toEqual([1, expect.stringContaining('SYMBOLON_LAB is not set')]);
  expect(existsSync(join(folder, 'failed/manifest.json'))).toBe(false);
});
