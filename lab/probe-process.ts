import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { SymbolonError } from '#core/errors/error';
import { killGroup } from './command.ts';
import type { Arrival, PacketCounts, ProbeCommand, ProbeReply, SendOutcome } from './probe-protocol.ts';

interface Waiting {
  readonly resolve: (reply: ProbeReply) => void;
  readonly reject: (error: unknown) => void;
}

/** One probe that runs as a workload. Ends with `close()`, or with the workload. */
export class ProbeProcess {
  readonly workload: string;
  /** What its listeners have got, in order. */
  readonly arrivals: Arrival[] = [];
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listening = new Set<string>();
  #nextId = 1;
  #ended: SymbolonError | undefined;

  /** `commandLine`: of Lab.commandFor, for the probe's bundle. */
  constructor(workload: string, [file = '', ...args]: readonly string[]) {
    this.workload = workload;
    this.#child = spawn(file, args, { detached: true });
    let complaint = '';
    this.#child.stderr.on('data', (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    this.#child.stdin.on('error', () => undefined);
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#take(JSON.parse(line) as ProbeReply | Arrival));
    this.#child.on('close', () => {
      this.#ended = new SymbolonError('LAB_FAILED', `the probe of ${workload} has ended: ${complaint.trim() || 'its workload is gone'}`, {
        what: workload,
      });
      for (const { reject } of this.#waiting.values()) reject(this.#ended);
      this.#waiting.clear();
    });
  }

  /** Listens, unless it does so already. */
  async listen(protocol: 'tcp' | 'udp', port: number): Promise<void> {
    const key = `${protocol}/${port}`;
    if (this.#listening.has(key)) return;
    await this.#ask({ do: 'listen', protocol, port });
    this.#listening.add(key);
  }

  /** Anything that ends in an outcome. */
  async send(command: Extract<ProbeCommand, { do: 'send' | 'connect' | 'exchange' }>): Promise<SendOutcome> {
    const reply = await this.#ask(command);
    if ('outcome' in reply) return reply.outcome;
    throw new TypeError(`the probe of ${this.workload} answered without an outcome`);
  }

  async disconnect(connection: string): Promise<void> {
    await this.#ask({ do: 'disconnect', connection });
  }

  async count(): Promise<PacketCounts> {
    const reply = await this.#ask({ do: 'count' });
    if ('counts' in reply) return reply.counts;
    throw new TypeError(`the probe of ${this.workload} answered without counts`);
  }

  close(): void {
    this.#child.stdin.end();
    killGroup(this.#child.pid);
  }

  async #ask(command: ProbeCommand): Promise<ProbeReply> {
    if (this.#ended) throw this.#ended;
    const id = this.#nextId++;
    const reply = await new Promise<ProbeReply>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.stdin.write(`${JSON.stringify({ id, ...command })}\n`);
    });
    if ('failed' in reply)
      throw new SymbolonError('LAB_FAILED', `the probe of ${this.workload} failed: ${reply.failed}`, { what: this.workload });
    return reply;
  }

  #take(message: ProbeReply | Arrival): void {
    if ('arrival' in message) {
      this.arrivals.push(message);
      return;
    }
    this.#waiting.get(message.id)?.resolve(message);
    this.#waiting.delete(message.id);
  }
}
