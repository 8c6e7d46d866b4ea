import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { encodeRow, type RowLayout, type RowValues } from '../../agent/datapath/rows/row.ts';
import type { TcDirection } from '../../agent/kernel/tcx-link.ts';
import type { Request } from './driver.ts';

const ROOT = join(__dirname, '../..');

/** What a test run gave: TCX code and the packet as the program left it. */
export interface RunResult {
  readonly verdict: number;
  readonly packet: Buffer;
}

/** The gate, loaded in a network namespace by a process of its own (a jest worker never changes its namespace). */
export class GateProcess {
  private readonly lines: Interface;
  private readonly waiting: ((line: string) => void)[] = [];
  private readonly ended: Promise<unknown>;

  private constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    readonly directory: string,
  ) {
    this.lines = createInterface({ input: child.stdout }).on('line', (line) => this.waiting.shift()?.(line));
    child.stderr.pipe(process.stderr);
    this.ended = once(child, 'exit').then(() => {
      for (const answer of this.waiting.splice(0)) answer('{"error":"the gate process has ended"}');
    });
  }

  static start(namespace: string): GateProcess {
    const directory = `/tmp/sy-gate-${process.pid}`;
    mkdirSync(directory, { mode: 0o700 });
    const koffi = join(ROOT, 'node_modules/koffi/index.cjs');
    const bundle = join(directory, 'driver.js');
    buildSync({
      entryPoints: [join(__dirname, 'driver.ts')],
      outfile: bundle,
      bundle: true,
      platform: 'node',
      alias: { koffi },
      external: [koffi],
      logLevel: 'warning',
    });
    mkdirSync(join(directory, 'bpf'));
    execFileSync('mount', ['-t', 'bpf', 'none', join(directory, 'bpf')]);
    const args = [`--net=/run/netns/${namespace}`, process.execPath, bundle, join(ROOT, 'dist/bpf/gate.o'), join(directory, 'bpf/gate')];
    return new GateProcess(spawn('nsenter', args), directory);
  }

  private async ask(request: Request): Promise<unknown> {
    const line = await new Promise<string>((resolve) => {
      this.waiting.push(resolve);
      this.child.stdin.write(`${JSON.stringify(request)}\n`);
    });
    const answer = JSON.parse(line) as { readonly result?: unknown; readonly error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.result;
  }

  async set<V extends RowLayout>(map: string, key: Uint8Array, layout: V, values: Partial<RowValues<V>>): Promise<void> {
    await this.setBytes(map, key, encodeRow(layout, values));
  }

  async setBytes(map: string, key: Uint8Array, value: Uint8Array): Promise<void> {
    await this.ask({ do: 'set', map, key: Buffer.from(key).toString('hex'), value: Buffer.from(value).toString('hex') });
  }

  async delete(map: string, key: Uint8Array): Promise<boolean> {
    return (await this.ask({ do: 'delete', map, key: Buffer.from(key).toString('hex') })) as boolean;
  }

  async get(map: string, key: Uint8Array): Promise<Buffer | undefined> {
    const value = (await this.ask({ do: 'get', map, key: Buffer.from(key).toString('hex') })) as string | null;
    return value === null ? undefined : Buffer.from(value, 'hex');
  }

  /** Rows of a hash map. */
  async count(map: string): Promise<number> {
    return (await this.ask({ do: 'count', map })) as number;
  }

  async run(
    program: string,
    packet: Buffer,
    on: { readonly interface: number; readonly from: number; readonly mark?: number; readonly times?: number },
  ): Promise<RunResult> {
    const { from, ...rest } = on;
    const result = await this.ask({ do: 'run', program, packet: packet.toString('hex'), ingressInterface: from, ...rest });
    const { verdict, packet: after } = result as { readonly verdict: number; readonly packet: string };
    return { verdict, packet: Buffer.from(after, 'hex') };
  }

  async attach(program: string, interfaceIndex: number, direction: TcDirection): Promise<void> {
    await this.ask({ do: 'attach', program, interface: interfaceIndex, direction });
  }

  /** Whether an attached program runs before all others at its place. */
  async isFirst(program: string, interfaceIndex: number, direction: TcDirection): Promise<boolean> {
    return (await this.ask({ do: 'is-first', program, interface: interfaceIndex, direction })) as boolean;
  }

  async detach(program: string, interfaceIndex: number): Promise<void> {
    await this.ask({ do: 'detach', program, interface: interfaceIndex });
  }

  /** Puts a program of another object before all that is there. */
  async attachForeign(object: string, program: string, interfaceIndex: number, direction: TcDirection): Promise<void> {
    await this.ask({ do: 'attach-foreign', object, program, interface: interfaceIndex, direction });
  }

  /** Packets by reason, those that are not zero. */
  async counters(): Promise<Readonly<Record<string, number>>> {
    return (await this.ask({ do: 'counters' })) as Record<string, number>;
  }

  /** What the counters have gained meanwhile. */
  async counted(work: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
    const before = await this.counters();
    await work();
    const after = Object.entries(await this.counters());
    return Object.fromEntries(
      after.map(([name, packets]) => [name, packets - (before[name] ?? 0)] as const).filter(([, gained]) => gained > 0),
    );
  }

  async bootNs(): Promise<bigint> {
    return BigInt((await this.ask({ do: 'now' })) as string);
  }

  async openTap(name: string): Promise<number> {
    return (await this.ask({ do: 'open-tap', name })) as number;
  }

  async readTap(): Promise<Buffer | undefined> {
    const frame = (await this.ask({ do: 'read-tap' })) as string | null;
    return frame === null ? undefined : Buffer.from(frame, 'hex');
  }

  async writeTap(frame: Buffer): Promise<void> {
    await this.ask({ do: 'write-tap', packet: frame.toString('hex') });
  }

  async sweep(endpoint = 0): Promise<{ readonly removed: number; readonly left: number }> {
    return (await this.ask({ do: 'sweep', endpoint })) as { removed: number; left: number };
  }

  async stop(): Promise<void> {
    this.lines.close();
    this.child.stdin.end();
    await this.ended;
    execFileSync('umount', [join(this.directory, 'bpf')]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
