import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TerraformResult {
  readonly code: number;
  /** stdout and stderr as they came. */
  readonly output: string;
  readonly ms: number;
}

/** One resource in state, as `terraform show -json` has it. */
export interface StateResource {
  readonly address: string;
  readonly type: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export interface PlannedResource {
  readonly address: string;
  readonly actions: readonly string[];
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly afterUnknown: Readonly<Record<string, unknown>>;
}

const HEADER = `terraform {
  required_providers {
    symbolon = { source = "symbolon/symbolon" }
  }
}
`;

/** A folder with a configuration, and the real terraform to run in it. */
export class TerraformFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'sy-tf-'));
  private readonly environment: Readonly<Record<string, string>>;

  constructor(environment: Readonly<Record<string, string>>) {
    this.environment = environment;
    writeFileSync(join(this.path, 'cli.tfrc'), '');
  }

  /** Replaces the configuration: `providerBlock` and resources in HCL. */
  write(hcl: string): void {
    writeFileSync(join(this.path, 'main.tf'), HEADER + hcl);
  }

  /** Writes Terraform's own configuration, for instance where to find providers. */
  writeCliConfig(text: string): void {
    writeFileSync(join(this.path, 'cli.tfrc'), text);
  }

  /** `output`: what it has said so far. */
  start(...args: readonly string[]): {
    readonly child: ChildProcess;
    readonly output: () => string;
    readonly done: Promise<TerraformResult>;
  } {
    const started = performance.now();
    const child = spawn('terraform', [...args], {
      cwd: this.path,
      // In a group of its own: Ctrl-C reaches it and its providers, as from a terminal, and nobody else.
      detached: true,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: this.path,
        TMPDIR: tmpdir(),
        TF_CLI_CONFIG_FILE: join(this.path, 'cli.tfrc'),
        CHECKPOINT_DISABLE: '1',
        TF_IN_AUTOMATION: '1',
        TF_CLI_ARGS: '-no-color',
        ...this.environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    child.stderr.on('data', (data: Buffer) => (output += data.toString()));
    const done = new Promise<TerraformResult>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code: code ?? -1, output, ms: Math.round(performance.now() - started) }));
    });
    return { child, output: () => output, done };
  }

  run(...args: readonly string[]): Promise<TerraformResult> {
    return this.start(...args).done;
  }

  async mustRun(...args: readonly string[]): Promise<TerraformResult> {
    const result = await this.run(...args);
    if (result.code !== 0) throw new Error(`terraform ${args.join(' ')} ended with ${result.code}:\n${result.output}`);
    return result;
  }

  apply(): Promise<TerraformResult> {
    return this.mustRun('apply', '-auto-approve', '-input=false');
  }

  /** The actions that a plan of the configuration holds, without those that do nothing. */
  async plan(...args: readonly string[]): Promise<readonly PlannedResource[]> {
    await this.mustRun('plan', '-input=false', '-out=plan.out', ...args);
    const json = JSON.parse((await this.mustRun('show', '-json', 'plan.out')).output) as {
      resource_changes?: {
        address: string;
        change: { actions: string[]; after: Record<string, unknown> | null; after_unknown: Record<string, unknown> };
      }[];
    };
    return (json.resource_changes ?? [])
      .map(({ address, change }) => ({ address, actions: change.actions, after: change.after, afterUnknown: change.after_unknown }))
      .filter((change) => change.actions.join() !== 'no-op');
  }

  async state(): Promise<readonly StateResource[]> {
    const json = JSON.parse((await this.mustRun('show', '-json')).output) as { values?: { root_module: { resources?: StateResource[] } } };
    return json.values?.root_module.resources ?? [];
  }

  async valuesOf(address: string): Promise<Readonly<Record<string, unknown>>> {
    const found = (await this.state()).find((resource) => resource.address === address);
    if (!found) throw new Error(`${address} is not in state`);
    return found.values;
  }

  close(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
