import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CommandResult, mustRun } from '#lab/command';
import type { Lab } from '#lab/lab';
import { OPERATOR } from '#lab/names';

const PROVIDER = 'registry.terraform.io/symbolon/symbolon';
const COMMAND_TIMEOUT_MS = 60_000;

/** The quickstart's CDKTF program, applied by terraform in the operator's place with the provider that was built here. */
export class QuickstartTerraform {
  /** Where terraform works: state and synthesised configuration. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly #lab: Lab;
  readonly #inherited: NodeJS.ProcessEnv;

  /** `inherited`: the environment that its commands start from. */
  constructor(lab: Lab, inherited: NodeJS.ProcessEnv) {
    this.#lab = lab;
    this.#inherited = inherited;
    this.folder = join(lab.layout.placeFolder(OPERATOR), 'terraform');
    mkdirSync(this.folder, { recursive: true });
    const labFile = join(this.folder, 'lab-status.json');
    writeFileSync(labFile, JSON.stringify(lab.status()));
    const cliConfig = join(this.folder, 'terraform.rc');
    const mirror = JSON.stringify(join(lab.checkout, 'dist/mirror'));
    writeFileSync(
      cliConfig,
      `provider_installation {\n  filesystem_mirror {\n    path = ${mirror}\n    include = ["${PROVIDER}"]\n  }\n}\n`,
    );
    this.environment = { TF_CLI_CONFIG_FILE: cliConfig, CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1', SYMBOLON_LAB: labFile };
  }

  /** Runs the CDKTF program. `without`: the name of a policy to leave out. */
  async synth(without?: string): Promise<void> {
    const program = join(this.#lab.checkout, 'examples/quickstart/main.ts');
    await mustRun('build/synth.js', [process.execPath, join(this.#lab.checkout, 'build/synth.js'), program], {
      env: {
        ...this.#inherited,
        ...this.environment,
        CDKTF_OUTDIR: join(this.folder, 'cdktf.out'),
        ...(without === undefined ? {} : { WITHOUT: without }),
      },
      // Terraform's state lies in the folder in which the program ran.
      cwd: this.folder,
    });
  }

  async init(): Promise<void> {
    await this.#must('init', '-input=false', '-no-color');
  }

  async apply(): Promise<void> {
    await this.#must('apply', '-auto-approve', '-input=false', '-no-color');
  }

  /** True if a plan says that nothing is to change. */
  async planIsEmpty(): Promise<boolean> {
    const { code } = await this.#run('plan', '-detailed-exitcode', '-input=false', '-no-color');
    return code === 0;
  }

  get stackFolder(): string {
    return join(this.folder, 'cdktf.out/stacks/quickstart');
  }

  async #run(...args: readonly string[]): Promise<CommandResult> {
    const env = { ...this.#inherited, ...this.environment };
    return await this.#lab.exec({ place: OPERATOR }, ['terraform', `-chdir=${this.stackFolder}`, ...args], {
      env,
      timeoutMs: COMMAND_TIMEOUT_MS,
    });
  }

  async #must(...args: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await this.#run(...args);
    if (code !== 0) throw new Error(`terraform ${args[0]} failed with exit code ${code}:\n${(stdout + stderr).trim()}`);
  }
}
