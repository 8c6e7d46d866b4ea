import { describeError } from '#core/errors/error';
import type { AgentEndpoint, DirectoryNode } from '#core/registration/directory';
import type { SpiffeId } from '#core/spiffe/id';
import type { Clock } from '#daemon/clock';
import type { Logger } from '#daemon/log';
import type { SessionLink } from './session-link.ts';

/** A flow waits this long for a session; then its sender gets an answer. */
export const CONNECT_TIMEOUT_MS = 3000;
/** Never sooner after a failure, and this often while flows wait. */
export const FIRST_RETRY_MS = 200;
export const LAST_RETRY_MS = 5000;
/** Sessions with one peer: two of rotation, two of simultaneous dialling. A peer that restarts again and again pushes out its own oldest. */
const MAX_SESSIONS = 4;

export interface PeerParts {
  readonly dial: (endpoint: AgentEndpoint, expect: SpiffeId) => Promise<unknown>;
  readonly node: () => DirectoryNode | undefined;
  /** Are there pairs that need a session although nobody asks? */
  readonly needed: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The sessions with one node: dialled on demand, again and again while one is needed. */
export class PeerSessions {
  private links: SessionLink[] = [];
  private readonly waiters = new Set<() => void>();
  /** Cuts the pause between two attempts short. */
  private hurry: (() => void) | undefined;
  private dialling = false;
  private closed = false;

  constructor(
    readonly peer: SpiffeId,
    private readonly parts: PeerParts,
  ) {}

  get all(): readonly SessionLink[] {
    return this.links;
  }

  /** The one to start new exchanges on: the newest that is open and whose lease lives. */
  newest(nowNs: bigint): SessionLink | undefined {
    return this.links.findLast((link) => link.open && link.lease.lives(nowNs));
  }

  add(link: SessionLink): void {
    this.links.push(link);
    const open = this.links.filter((l) => l.open);
    if (open.length > MAX_SESSIONS) open[0]?.session.close();
    this.wake();
  }

  remove(link: SessionLink): void {
    this.links = this.links.filter((l) => l !== link);
  }

  /** An open session, dialled if there is none; undefined if there is none after 3 s. */
  async acquire(nowNs: () => bigint): Promise<SessionLink | undefined> {
    let timedOut = false;
    let goOn: () => void = () => undefined;
    // Wakes nobody else: if each of many did, they would look as often as the square of their number.
    const timer = this.parts.clock.after(CONNECT_TIMEOUT_MS, () => {
      timedOut = true;
      goOn();
    });
    try {
      for (;;) {
        const link = this.newest(nowNs());
        if (link || timedOut || this.closed) return link;
        const woken = new Promise<void>((resolve) => (goOn = resolve));
        this.waiters.add(goOn);
        this.hurry?.();
        this.connect(nowNs);
        await woken;
      }
    } finally {
      timer.cancel();
      this.waiters.delete(goOn);
    }
  }

  /** Dials until there is a session or nobody needs one; each time later, but without delay for flows that wait. */
  connect(nowNs: () => bigint): void {
    if (this.dialling || this.closed || this.newest(nowNs())) return;
    void this.dialUntilOpen(nowNs);
  }

  /** One more session beside the present ones: make before break. */
  rotate(): void {
    if (this.dialling || this.closed) return;
    this.dialling = true;
    void this.dialOnce().finally(() => {
      this.dialling = false;
      this.wake();
    });
  }

  close(): void {
    this.closed = true;
    for (const link of this.links) link.session.close();
    this.wake();
  }

  private async dialUntilOpen(nowNs: () => bigint): Promise<void> {
    this.dialling = true;
    try {
      for (let delay = FIRST_RETRY_MS; !this.closed && !this.newest(nowNs()); delay = Math.min(2 * delay, LAST_RETRY_MS)) {
        if (this.waiters.size === 0 && !this.parts.needed()) return;
        if (await this.dialOnce()) return;
        await this.pause(FIRST_RETRY_MS);
        if (this.waiters.size === 0 && delay > FIRST_RETRY_MS) await this.pauseUnlessAsked(delay - FIRST_RETRY_MS);
      }
    } finally {
      this.dialling = false;
      this.wake();
    }
  }

  /** Jittered, so that nodes do not dial in step. */
  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.parts.clock.after(ms * (0.75 + Math.random() / 2), resolve));
  }

  private async pauseUnlessAsked(ms: number): Promise<void> {
    await Promise.race([this.pause(ms), new Promise<void>((resolve) => (this.hurry = resolve))]);
    this.hurry = undefined;
  }

  private async dialOnce(): Promise<boolean> {
    const node = this.parts.node();
    for (const endpoint of node?.endpoints ?? []) {
      try {
        await this.parts.dial(endpoint, this.peer);
        return true;
      } catch (error) {
        this.parts.log.warn(
          { peer: this.peer, address: endpoint.address.text, port: endpoint.port, problem: describeError(error) },
          'cannot open a node session',
        );
      }
    }
    return false;
  }

  private wake(): void {
    const waiters = [...this.waiters];
    this.waiters.clear();
    for (const goOn of waiters) goOn();
  }
}
