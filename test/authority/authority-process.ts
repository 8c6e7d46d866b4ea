import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@grpc/grpc-js';
import { callUnary } from '#daemon/grpc/call';
import { dialUnix, openClient } from '#daemon/grpc/dial';
import { ControlService } from '#proto/gen/symbolon/authority/control';

const BUNDLE = join(__dirname, '../../dist/symbolon/symbolon-authority.js');
const STARTED_WITHIN_MS = 20_000;

/** The built authority as a process of its own on a data folder, so that it can be killed. */
export class AuthorityProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly client: Client,
    private readonly output: { text: string },
  ) {}

  static spawn(dataFolder: string): AuthorityProcess {
    const args = [
      BUNDLE,
      'serve',
      '--trust-domain',
      'east.example',
      '--data',
      dataFolder,
      '--listen',
      '127.0.0.1:0',
      '--log-level',
      'warn',
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const output = { text: '' };
    child.stderr?.on('data', (bytes: Buffer) => {
      output.text += bytes.toString();
    });
    return new AuthorityProcess(child, openClient(dialUnix(join(dataFolder, 'admin.sock'))), output);
  }

  /** Resolves once it answers. */
  async ready(): Promise<void> {
    const deadline = Date.now() + STARTED_WITHIN_MS;
    for (;;) {
      try {
        await callUnary(this.client, ControlService.getStatus, {}, { timeoutMs: 1000 });
        return;
      } catch (error) {
        if (Date.now() > deadline || this.isOver) throw new Error(`the authority does not answer: ${this.output.text}`, { cause: error });
        await sleep(20);
      }
    }
  }

  private get isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    if (!this.isOver) await once(this.child, 'exit');
    this.client.close();
  }
}
