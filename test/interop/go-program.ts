import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type CommandResult, killGroup } from '#lab/command';
import type { ExecTarget, Lab } from '#lab/lab';

/** Where build/interop.js puts the programs that it builds from test/interop/go. */
const FOLDER = join(__dirname, '../../dist/interop');

/** The path of a program, the same inside a lab's nodes. Throws if it is not built. */
function goProgram(name: 'probe' | 'spire-agent' | 'spire-server'): string {
  const path = join(FOLDER, name);
  if (existsSync(path)) return path;
  throw new Error(`${path} is not built; run \`npm run test:interop\``);
}

/** A line that the probe has said. */
export type Said = Readonly<Record<string, unknown>>;

function linesOf(text: string): Said[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Said);
}

export interface ProbeResult {
  readonly code: number;
  readonly said: readonly Said[];
}

/** Runs the probe to its end. Resolves with what it said and its exit code. */
export async function probeIn(lab: Lab, target: ExecTarget, ...args: string[]): Promise<ProbeResult> {
  const result = await lab.exec(target, [goProgram('probe'), ...args], { timeoutMs: 65_000 });
  if (result.stderr !== '') throw new Error(`probe ${args.join(' ')} in ${target.place}: ${result.stderr}`);
  return { code: result.code, said: linesOf(result.stdout) };
}

/** The same as a workload. */
export async function probe(lab: Lab, workload: string, ...args: string[]): Promise<ProbeResult> {
  return await probeIn(lab, { place: lab.workload(workload).node.name, workload }, ...args);
}

/** A probe that goes on as a workload until it is stopped, or ends by itself. */
export class RunningProbe {
  readonly said: Said[] = [];
  readonly #child;

  constructor(lab: Lab, workload: string, ...args: string[]) {
    const { node } = lab.workload(workload);
    const [file = '', ...rest] = lab.commandFor({ place: node.name, workload }, [goProgram('probe'), ...args]);
    this.#child = spawn(file, rest, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.said.push(JSON.parse(line) as Said));
  }

  /** Resolves with the first line of those from `from` on that fits. Throws with all lines if none does in time. */
  async saying(fits: (said: Said) => boolean, options: { readonly from?: number; readonly timeoutMs?: number } = {}): Promise<Said> {
    const end = Date.now() + (options.timeoutMs ?? 20_000);
    for (;;) {
      const found = this.said.slice(options.from ?? 0).find(fits);
      if (found) return found;
      if (Date.now() > end) throw new Error(`the probe has said only ${JSON.stringify(this.said)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  stop(): void {
    killGroup(this.#child.pid);
  }
}

/** Runs SPIRE's server command line against the authority's admin socket, from the operator's place. */
export async function spireServer(lab: Lab, ...args: string[]): Promise<CommandResult> {
  return await lab.exec({ place: 'operator' }, [goProgram('spire-server'), ...args, '-socketPath', lab.authority.adminSocket]);
}

/** Runs SPIRE's agent command line as a workload against its node's Workload API. */
export async function spireAgent(lab: Lab, workload: string, ...args: string[]): Promise<CommandResult> {
  return await lab.execAs(workload, [goProgram('spire-agent'), ...args, '-socketPath', '/run/symbolon/workload.sock']);
}
