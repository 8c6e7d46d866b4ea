import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run } from './run.ts';

const ROOT = join(__dirname, '../..');

// A user's program: everything public that a small one needs, checked by the user's compiler.
const PROGRAM = `import { App, TerraformOutput, TerraformStack } from 'cdktf';
import { Action, AuthPolicy, Authority, BundleDataSource, Enforcement, Node, PathPrefix, Port, Selector, TrustDomain, WorkloadIdentity } from 'symbolon/constructs';
import type { IParty, IPlacement, ITrustDomain, IWorkloadIdentity } from 'symbolon/constructs';

const app = new App();
const stack = new TerraformStack(app, 'shop');
const east: ITrustDomain = new TrustDomain(stack, 'east', {
  trustDomain: 'east.example',
  authority: Authority.unixSocket('/var/lib/symbolon-authority/admin.sock'),
  enforcement: Enforcement.ALL,
});
const placement: IPlacement = new Node(stack, 'east-1', { trustDomain: east, addressPrefixes: ['10.1.0.0/24'] });
const workload = (name: string, uid: number): IWorkloadIdentity =>
  new WorkloadIdentity(stack, name, { placement, selectors: [Selector.unixUid(uid)] });
const web = workload('web', 1001);
const all: IParty = PathPrefix.of(east, '/web');
workload('payments', 1002).allowFrom(web, [Port.tcp(8443)]);
new AuthPolicy(stack, 'nobody', { action: Action.DENY, sources: [all], destinations: [web], traffic: [Port.any()] });
new TerraformOutput(stack, 'ca', { value: new BundleDataSource(stack, 'bundle', { trustDomain: east.trustDomainName }).pem });
// @ts-expect-error a number is no name: the declarations must really be found
export const mistake = (): ITrustDomain => TrustDomain.fromName(stack, 'mistake', 7);
app.synth();
`;

/** The first program of the how-to. */
function documentedProgram(): string {
  const text = readFileSync(join(ROOT, 'docs/how-to/declare-with-cdktf.md'), 'utf8');
  return /^```ts\n(.*?)^```$/ms.exec(text)?.[1] ?? '';
}

const compilerOptions = (module: string, moduleResolution: string) => ({
  module,
  moduleResolution,
  target: 'es2022',
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  types: [],
  rootDir: '.',
  outDir: 'out',
});

describe('the packed library in an empty project', () => {
  let project = '';
  const compile = (module: string, moduleResolution: string): Promise<string> => {
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: compilerOptions(module, moduleResolution), files: ['main.ts', 'documented.ts'] }),
    );
    return run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', project], project);
  };

  beforeAll(async () => {
    if (!existsSync(join(ROOT, 'dist/constructs/package.json'))) await run(process.execPath, ['build/constructs.js'], ROOT);
    project = mkdtempSync(join(tmpdir(), 'sy-pack-'));
    const [packed] = JSON.parse(
      await run('npm', ['pack', '--json', '--pack-destination', project, join(ROOT, 'dist/constructs')], project),
    ) as readonly [{ readonly filename: string }];
    const dependencies = {
      symbolon: `file:${packed.filename}`,
      cdktf: `file:${join(ROOT, 'node_modules/cdktf')}`,
      constructs: `file:${join(ROOT, 'node_modules/constructs')}`,
    };
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, dependencies }));
    // Copies instead of links: what is required must be found in the project, and nothing may be written into the repository.
    await run('npm', ['install', '--offline', '--install-links', '--ignore-scripts', '--no-audit', '--no-fund'], project);
    writeFileSync(join(project, 'main.ts'), PROGRAM);
    writeFileSync(join(project, 'documented.ts'), documentedProgram());
  }, 180_000);

  afterAll(() => rmSync(project, { recursive: true, force: true }));

  test('brings code, declarations and licence, and nothing else', () => {
    const manifest = JSON.parse(readFileSync(join(project, 'node_modules/symbolon/package.json'), 'utf8')) as Record<string, unknown>;
    expect(Object.keys(manifest['peerDependencies'] as object)).toEqual(['cdktf', 'constructs']);
    expect(manifest).not.toHaveProperty('dependencies');
    expect(existsSync(join(project, 'node_modules/symbolon/LICENSE'))).toBe(true);
    expect(existsSync(join(project, 'node_modules/symbolon/constructs/index.ts'))).toBe(false);
  });

  test.each([
    ['nodenext', 'nodenext'],
    ['preserve', 'bundler'],
  ])(
    'is understood by a strict compiler, with module %s and resolution %s',
    async (module, resolution) => {
      await compile(module, resolution);
    },
    60_000,
  );

  test('synthesises what the how-to shows', async () => {
    await compile('nodenext', 'nodenext');
    await run(process.execPath, ['out/documented.js'], project, { CDKTF_OUTDIR: 'documented' });
    const made = readFileSync(join(project, 'documented/stacks/shop/cdk.tf.json'), 'utf8');
    expect(made).toContain('web-to-payments');
  }, 60_000);

  test('synthesises', async () => {
    await compile('nodenext', 'nodenext');
    await run(process.execPath, ['out/main.js'], project);
    const made = JSON.parse(readFileSync(join(project, 'cdktf.out/stacks/shop/cdk.tf.json'), 'utf8')) as {
      readonly resource: Record<string, Record<string, unknown>>;
      readonly output: Record<string, unknown>;
    };
    expect(Object.entries(made.resource).map(([type, rows]) => [type, Object.keys(rows).length])).toEqual([
      ['symbolon_auth_policy', 2],
      ['symbolon_identity', 2],
      ['symbolon_node', 1],
      ['symbolon_trust_domain', 1],
    ]);
    expect(made.output['ca']).toMatchObject({ value: '${data.symbolon_bundle.bundle.pem}' });
  }, 60_000);
});
