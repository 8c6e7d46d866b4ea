import type { ClientDuplexStream } from '@grpc/grpc-js';
import { describeError } from '#core/errors/error';
import type { Clock, Timer } from '#daemon/clock';
import { messagesOf } from '#daemon/grpc/call';
import type { Logger } from '#daemon/log';
import { NodeSyncService, type SyncReport, type SyncState } from '#proto/gen/symbolon/authority/sync';
import { Backoff } from './backoff.ts';

/** How often an agent reports without a reason (sync.proto). */
const HEARTBEAT_MS = 10_000;

export interface SyncLoopOptions {
  readonly open: () => ClientDuplexStream<SyncReport, SyncState>;
  readonly report: () => SyncReport;
  readonly onState: (state: SyncState) => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
}

/** Keeps a Synchronize stream open as long as it lives: comes back with growing delays, reports what the node enforces. */
export class SyncLoop {
  private readonly backoff: Backoff;
  private stream: ClientDuplexStream<SyncReport, SyncState> | undefined;
  private heartbeat: Timer | undefined;
  private wake: () => void = () => undefined;
  private closed = false;
  /** True from the first state of a stream until the stream ends. */
  connected = false;
  /** Why the last stream ended. */
  problem: string | undefined;
  readonly done: Promise<void>;

  constructor(private readonly options: SyncLoopOptions) {
    this.backoff = new Backoff(200, 10_000, options.random);
    this.done = this.run();
  }

  /** Tells the authority now. */
  report(): void {
    this.heartbeat?.cancel();
    if (!this.stream || this.closed) return;
    this.stream.write(this.options.report());
    this.heartbeat = this.options.clock.after(HEARTBEAT_MS, () => this.report());
  }

  /** Opens a new stream now. */
  reconnect(): void {
    this.backoff.reset();
    this.stream?.cancel();
    this.wake();
  }

  private async run(): Promise<void> {
    // The caller must have its loop before the first state comes.
    await Promise.resolve();
    while (!this.closed) {
      try {
        this.stream = this.options.open();
        this.report();
        for await (const state of messagesOf(this.stream as ClientDuplexStream<never, SyncState>, NodeSyncService.synchronize)) {
          this.connected = true;
          this.problem = undefined;
          this.backoff.reset();
          this.options.onState(state);
        }
        this.problem = 'the authority ended the stream';
      } catch (error) {
        this.problem = describeError(error);
        if (!this.closed) this.options.log.warn({ error }, 'the connection to the authority is lost; trying again');
      } finally {
        this.connected = false;
        this.stream = undefined;
        this.heartbeat?.cancel();
      }
      if (!this.closed) await this.pause(this.backoff.next());
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.options.clock.after(ms, resolve);
      this.wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.stream?.cancel();
    this.wake();
    await this.done;
  }
}
