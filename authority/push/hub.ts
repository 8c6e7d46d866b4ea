import { SymbolonError } from '#core/errors/error';
import type { Instant } from '#core/time/instant';
import type { Clock } from '#daemon/clock';
import type { Logger } from '#daemon/log';
import { Latest } from './latest.ts';
import type { Snapshot } from './snapshot.ts';

/** What an agent says of itself. */
export interface AgentReport {
  readonly enforcedRevision: bigint;
  readonly agentVersion: string;
  readonly problem: string;
}

/** A node as this process has seen it. */
export interface AgentPresence extends AgentReport {
  readonly connected: boolean;
  readonly lastSeenAt: Instant;
}

/** A node's stream: reads snapshots as they come, newest only, and says what the node reports. */
export interface AgentConnection {
  readonly snapshots: AsyncIterable<Snapshot>;
  report(report: AgentReport): void;
  close(): void;
}

export interface Enforcement {
  readonly enforced: boolean;
  readonly connectedAgents: number;
  readonly laggingNodes: readonly string[];
}

interface Open {
  readonly node: string;
  readonly attestation: number;
  readonly snapshots: Latest<Snapshot>;
  /** The revision that it was handed last. */
  revision?: bigint;
}

const NO_REPORT: AgentReport = { enforcedRevision: 0n, agentVersion: '', problem: '' };
/** An agent's words are shown to administrators, and kept: not more than a page of them. */
const MAX_PROBLEM_LENGTH = 2000;
const MAX_VERSION_LENGTH = 100;
/** Under a storm of changes (an apply of hundreds of objects) agents get a state this often; the first change goes out at once. */
const MIN_PUSH_INTERVAL_MS = 20;

/** Tells connected nodes the newest state at once and after each change, and knows which of them enforce what. */
export class PushHub {
  private readonly open = new Map<string, Open>();
  private readonly seen = new Map<string, AgentPresence>();
  private readonly watchers = new Set<() => void>();
  private current: Snapshot | undefined;
  private reading: Promise<void> | undefined;
  private again = false;
  /** The last read has failed: what there is may be old. */
  private isStale = false;

  constructor(
    private readonly read: () => Promise<Snapshot>,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** Something that nodes are told has changed, and is in the store. Resolves when it has been handed to the connections. */
  changed(): Promise<void> {
    this.again = true;
    this.reading ??= this.refresh();
    return this.reading;
  }

  private async refresh(): Promise<void> {
    for (let first = true; this.again; first = false) {
      if (!first) await new Promise<void>((resolve) => this.clock.after(MIN_PUSH_INTERVAL_MS, resolve));
      this.again = false;
      try {
        this.hand(await this.read());
        this.isStale = false;
      } catch (error) {
        this.isStale = true;
        this.log.error({ error }, 'the state could not be read for the agents');
      }
    }
    this.reading = undefined;
  }

  private hand(snapshot: Snapshot): void {
    if (this.current && snapshot.revision < this.current.revision) return;
    this.current = snapshot;
    for (const connection of this.open.values()) {
      if (snapshot.attestations.get(connection.node) === connection.attestation) this.give(connection, snapshot);
      else {
        const error = new SymbolonError('PERMISSION_DENIED', `the node ${connection.node} has been banned, evicted or attested anew`, {
          what: connection.node,
        });
        connection.snapshots.end(error);
        this.drop(connection);
      }
    }
    this.wake();
  }

  /** A state that a node has been given it is not given again: a change may have been none for it. */
  private give(connection: Open, snapshot: Snapshot): void {
    if (connection.revision === snapshot.revision) return;
    connection.revision = snapshot.revision;
    connection.snapshots.set(snapshot);
  }

  /** A node opens its stream; an older stream of the same node ends. */
  connect(node: string, attestation: number): AgentConnection {
    this.open.get(node)?.snapshots.end();
    const connection: Open = { node, attestation, snapshots: new Latest() };
    this.open.set(node, connection);
    this.see(node, { ...(this.seen.get(node) ?? NO_REPORT), enforcedRevision: 0n, problem: '' }, true);
    // Read anew only if need be: a node that connects again and again must not make the authority read everything each time.
    const { current } = this;
    if (current && !this.reading && !this.isStale && current.attestations.get(node) === attestation) this.give(connection, current);
    else void this.changed();
    return {
      snapshots: connection.snapshots,
      report: (report) => {
        if (this.open.get(node) === connection) this.see(node, report, true);
      },
      close: () => {
        connection.snapshots.end();
        this.drop(connection);
      },
    };
  }

  private drop(connection: Open): void {
    if (this.open.get(connection.node) !== connection) return;
    this.open.delete(connection.node);
    this.see(connection.node, this.seen.get(connection.node) ?? NO_REPORT, false);
  }

  private see(node: string, report: AgentReport, connected: boolean): void {
    const agentVersion = report.agentVersion.slice(0, MAX_VERSION_LENGTH);
    const problem = report.problem.slice(0, MAX_PROBLEM_LENGTH);
    this.seen.set(node, { enforcedRevision: report.enforcedRevision, agentVersion, problem, connected, lastSeenAt: this.clock.now() });
    this.wake();
  }

  private wake(): void {
    for (const watcher of this.watchers) watcher();
  }

  /** Calls `look` whenever a node comes, goes or reports, or a new state is handed out. */
  onChange(look: () => void): void {
    this.watchers.add(look);
  }

  /** What is known of a node since this process began. */
  presence(node: string): AgentPresence | undefined {
    return this.seen.get(node);
  }

  get connectedAgents(): number {
    return this.open.size;
  }

  /** Do all connected nodes enforce the revision? */
  enforcement(revision: bigint): Enforcement {
    const nodes = [...this.open.keys()];
    const laggingNodes = nodes.filter((node) => (this.seen.get(node)?.enforcedRevision ?? 0n) < revision);
    return { enforced: laggingNodes.length === 0, connectedAgents: nodes.length, laggingNodes };
  }

  /** Resolves as soon as every connected node enforces the revision, at the latest after `timeoutMs`. */
  async waitForEnforcement(revision: bigint, timeoutMs: number, signal: AbortSignal): Promise<Enforcement> {
    // A change is handed out before it is waited for: an agent that has not been told yet must not count as up to date.
    await this.changed();
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.enforcement(revision).enforced) finish();
      };
      const finish = (): void => {
        timer.cancel();
        this.watchers.delete(look);
        signal.removeEventListener('abort', finish);
        resolve(this.enforcement(revision));
      };
      const timer = this.clock.after(timeoutMs, finish);
      this.watchers.add(look);
      signal.addEventListener('abort', finish, { once: true });
      // An abort that came before is not told again.
      if (signal.aborted) finish();
      else look();
    });
  }

  /** Ends every stream. */
  close(): void {
    for (const connection of this.open.values())
      connection.snapshots.end(new SymbolonError('UNAVAILABLE', 'the authority stops', { what: 'authority' }));
  }
}
