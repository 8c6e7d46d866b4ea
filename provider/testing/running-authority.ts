import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** Tests and benches run at the root of the repository, after a build. */
const EXECUTABLE = resolve('dist/symbolon/symbolon-authority.js');
const START_MS = 20_000;

/** A free TCP port on loopback. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

/** The built authority as a process of its own, with its data in a folder of its own. */
export class RunningAuthority {
  readonly folder = mkdtempSync(join(tmpdir(), 'sy-auth-'));
  readonly socket = join(this.folder, 'admin.sock');
  private readonly child: ChildProcess;
  private output = '';
  readonly address: string;

  private constructor(trustDomain: string, port: number) {
    this.address = `127.0.0.1:${port}`;
    const where = ['--data', this.folder, '--listen', this.address, '--admin-socket', this.socket];
    this.child = spawn(process.execPath, [EXECUTABLE, 'serve', '--trust-domain', trustDomain, ...where, '--log-level', 'warn']);
    const collect = (data: Buffer): void => {
      this.output += data.toString();
    };
    this.child.stdout?.on('data', collect);
    this.child.stderr?.on('data', collect);
  }

  /** Starts one and waits until it answers. Throws with what it wrote if it does not. */
  static async start(trustDomain: string): Promise<RunningAuthority> {
    const authority = new RunningAuthority(trustDomain, await freePort());
    const until = Date.now() + START_MS;
    while (!existsSync(authority.socket)) {
      if (authority.isOver || Date.now() > until) {
        await authority.close();
        throw new Error(`the authority did not start: ${authority.output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return authority;
  }

  /** Runs one of the authority's commands against this one. */
  async command(...args: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(process.execPath, [EXECUTABLE, ...args, '--admin-socket', this.socket]);
    return stdout;
  }

  private get isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async close(): Promise<void> {
    if (!this.isOver) {
      const closed = new Promise((resolve) => this.child.once('close', resolve));
      this.child.kill('SIGTERM');
      await closed;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
