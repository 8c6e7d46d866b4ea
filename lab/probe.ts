import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { probeBundle } from './executables.ts';
import type { Lab } from './lab.ts';
import { INSIDE } from './layout.ts';
import { OPERATOR } from './names.ts';
import type { PacketCounts, ProbeProtocol, SendOutcome } from './probe-protocol.ts';
import { ProbeProcess } from './probe-process.ts';

/** How long a probe waits for an answer that may never come. A SYN would be sent again after that: it is known not to have been lost. */
const DEFAULT_TIMEOUT_MS = 1000;
/** How long it waits for an answer that is to come to a packet that nobody sends again, or for a connection: two nodes may have to meet first. */
const PATIENT_TIMEOUT_MS = 5000;
/** After this a packet that was to arrive has arrived: the lab's longest way takes microseconds, a hold milliseconds. */
const SETTLE_MS = 20;

/**
 * `passed`: the answer came back. `refused`: the sender was told at once, and nothing reached the receiver. `nothing`: the sender heard nothing, and
 * nothing reached the receiver. `delivered` (never expected): no answer, or a refusal, but the receiver got it.
 */
export type Seen = 'passed' | 'refused' | 'nothing' | 'delivered';

/** One thing to try: who sends what to whom, and what must come of it. Workloads by name. */
export interface ProbeRow {
  /** A workload; or OPERATOR: from there everything crosses the router, and no gate but the receiver's. */
  readonly from: string;
  readonly to: string;
  readonly protocol: ProbeProtocol;
  readonly family: 4 | 6;
  /** The server's port; absent for echo. */
  readonly port?: number;
  readonly sourcePort?: number;
  /** Sends with this workload's address, which is given to the sender's interface for the time of the probe. */
  readonly sourceOf?: string;
  readonly expected: Exclude<Seen, 'delivered'>;
  readonly timeoutMs?: number;
  /** What the row is there for, if the rest does not say it. */
  readonly note?: string;
}

export interface ProbeResult extends ProbeRow {
  readonly seen: Seen;
  readonly milliseconds: number;
  readonly asExpected: boolean;
  /** The sender's view: the kernel's error, if there was one. */
  readonly code?: string;
}

/** A TCP connection that a workload keeps open. */
export interface KeptConnection {
  readonly opened: SendOutcome;
  /** One line back and forth. */
  exchange(timeoutMs?: number): Promise<SendOutcome>;
  /** Whether the line of the last exchange has reached the other end, answered or not. */
  arrived(): Promise<boolean>;
  close(): Promise<void>;
}

/** Sends between the workloads of a lab. One probe process runs in each workload that takes part; `close()` ends them. */
export class Prober {
  readonly #lab: Lab;
  readonly #probes = new Map<string, ProbeProcess>();

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** The probe of a workload, or of OPERATOR; what has reached its listeners is in `arrivals`. */
  probeOf(who: string): ProbeProcess {
    const known = this.#probes.get(who);
    if (known) return known;
    const probe = new ProbeProcess(who, this.#commandLine(who));
    this.#probes.set(who, probe);
    return probe;
  }

  #commandLine(who: string): readonly string[] {
    if (who === OPERATOR) return this.#lab.commandFor({ place: OPERATOR }, [process.execPath, probeBundle(this.#lab.checkout)]);
    const { node } = this.#lab.workload(who);
    return this.#lab.commandFor({ place: node.name, workload: who }, [INSIDE.node, INSIDE.probe]);
  }

  /** Forgets the probe of a workload that is gone. */
  forget(workload: string): void {
    this.#probes.get(workload)?.close();
    this.#probes.delete(workload);
  }

  /** Tries one row. The receiver listens on the port from then on. Rows must not run at the same time: packets are counted. */
  async run(row: ProbeRow): Promise<ProbeResult> {
    const sender = this.probeOf(row.from);
    const receiver = this.probeOf(row.to);
    if (row.protocol !== 'echo') await receiver.listen(row.protocol, row.port ?? 0);
    const before = await receiver.count();
    const outcome = await this.#withSource(row, (sourceAddress) =>
      sender.send({
        do: 'send',
        protocol: row.protocol,
        nonce: randomUUID(),
        address: this.#lab.addressOf(row.to, row.family),
        port: row.port ?? 0,
        timeoutMs: row.timeoutMs ?? (row.expected === 'passed' && row.protocol !== 'tcp' ? PATIENT_TIMEOUT_MS : DEFAULT_TIMEOUT_MS),
        ...(sourceAddress === undefined ? {} : { sourceAddress }),
        ...(row.sourcePort === undefined ? {} : { sourcePort: row.sourcePort }),
      }),
    );
    await sleep(SETTLE_MS);
    const seen = judge(outcome, before, await receiver.count(), row.protocol);
    return {
      ...row,
      seen,
      milliseconds: outcome.ms,
      asExpected: seen === row.expected,
      ...(outcome.code === undefined ? {} : { code: outcome.code }),
    };
  }

  /** Tries rows one after the other. `report` is told each result at once. */
  async runAll(rows: readonly ProbeRow[], report: (result: ProbeResult) => void = () => undefined): Promise<readonly ProbeResult[]> {
    const results: ProbeResult[] = [];
    for (const row of rows) {
      const result = await this.run(row);
      report(result);
      results.push(result);
    }
    return results;
  }

  /** Opens a TCP connection that stays. */
  async connect(from: string, to: string, port: number, family: 4 | 6 = 4, timeoutMs = PATIENT_TIMEOUT_MS): Promise<KeptConnection> {
    const receiver = this.probeOf(to);
    await receiver.listen('tcp', port);
    const probe = this.probeOf(from);
    let nonce = '';
    const connection = randomUUID();
    const opened = await probe.send({ do: 'connect', connection, address: this.#lab.addressOf(to, family), port, timeoutMs });
    return {
      opened,
      exchange: (limitMs = DEFAULT_TIMEOUT_MS) => {
        nonce = randomUUID();
        return probe.send({ do: 'exchange', connection, nonce, timeoutMs: limitMs });
      },
      arrived: async () => {
        await sleep(SETTLE_MS);
        await receiver.count(); // it tells of what it has got before it answers
        return receiver.arrivals.some(({ text }) => text.includes(nonce));
      },
      close: () => probe.disconnect(connection),
    };
  }

  close(): void {
    for (const probe of this.#probes.values()) probe.close();
    this.#probes.clear();
  }

  async #withSource(row: ProbeRow, send: (sourceAddress?: string) => Promise<SendOutcome>): Promise<SendOutcome> {
    if (row.sourceOf === undefined) return await send();
    const address = this.#lab.addressOf(row.sourceOf, row.family);
    return await this.#lab.withForeignAddress(row.from, address, () => send(address));
  }
}

/** What a probe has shown: the sender's outcome against what has reached the receiver meanwhile. */
export function judge(outcome: SendOutcome, before: PacketCounts, after: PacketCounts, protocol: ProbeProtocol): Seen {
  if (outcome.kind === 'answered') return 'passed';
  if (after[protocol] > before[protocol]) return 'delivered';
  return outcome.kind === 'error' ? 'refused' : 'nothing';
}
