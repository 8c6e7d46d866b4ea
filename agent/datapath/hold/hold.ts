import type { IpAddress } from '#core/network/address';
import type { Port, Protocol } from '#core/network/flow';
import type { Clock, Timer } from '#daemon/clock';
import type { EndpointId, HeldFlow, PairKey } from '../contract.ts';
import { type HeldFrame, parseHeldFrame } from './frame.ts';
import { DEFAULT_HOLD_LIMITS, type HoldLimits, HoldQueue, type WaitingFlow } from './queue.ts';

/** Where held frames come from and go back to: the TAP, or a test's stand-in. */
export interface FrameDevice {
  /** The next waiting frame, valid until the next call; undefined if none waits. */
  read(): Buffer | undefined;
  write(frame: Uint8Array): boolean;
  onReadable(ready: () => void): void;
}

/** How long a packet waits at most: a TCP client has sent its SYN four times by then. */
export const HOLD_TIMEOUT_NS = 10_000_000_000n;
const SWEEP_MS = 1000;
/** Frames read before other work has its turn. */
const FRAMES_A_TURN = 1024;
/** A sender that is faster than the agent would never let the TAP run empty: order is kept no longer than this. */
const KEEP_ORDER_NS = 3_000_000n;

const COOKIE_OFFSET = 6;

/** Which flows a call is about. */
export type FlowFilter = (held: HeldFlow) => boolean;

/**
 * First packets on their way: read from the TAP, kept in order, sent back when there is an answer. Frames are untrusted input: one whose
 * endpoint does not own its source address is dropped.
 */
export class Hold {
  private readonly queue: HoldQueue<HeldFlow>;
  private listener: ((held: HeldFlow) => void) | undefined;
  private timer: Timer | undefined;
  /** Frames that no flow could be read from, or that claimed another's address. */
  refusedFrames = 0;

  constructor(
    private readonly device: FrameDevice,
    private readonly ownerOf: (address: IpAddress) => EndpointId | undefined,
    private readonly clock: Clock,
    private readonly bootNs: () => bigint,
    limits: HoldLimits = DEFAULT_HOLD_LIMITS,
  ) {
    this.queue = new HoldQueue(limits);
    device.onReadable(() => this.drain(FRAMES_A_TURN));
    this.scheduleSweep();
  }

  private scheduleSweep(): void {
    this.timer = this.clock.after(SWEEP_MS, () => {
      this.queue.expire(this.bootNs() - HOLD_TIMEOUT_NS);
      this.scheduleSweep();
    });
  }

  /** Calls once for each flow that waits or begins to. */
  onHeld(listener: (held: HeldFlow) => void): void {
    this.listener = listener;
    for (const waiting of this.queue.all()) this.announce(waiting);
  }

  private announce(waiting: WaitingFlow<HeldFlow>): void {
    // Not at once: a listener may answer by a call that comes back here.
    queueMicrotask(() => {
      if (this.queue.get(waiting.flow) === waiting) this.listener?.(waiting.about);
    });
  }

  private admit(frame: HeldFrame, bytes: Buffer): void {
    const source = frame.source();
    if (this.ownerOf(source) !== frame.endpoint) {
      this.refusedFrames++;
      return;
    }
    const now = this.bootNs();
    const about = (): HeldFlow => {
      const { protocol, servicePort } = frame;
      const destination = frame.destination();
      return {
        key: {
          realm: 0,
          endpoint: frame.endpoint as EndpointId,
          local: source,
          remote: destination,
          protocol,
          role: 'client',
          servicePort,
        },
        flow: { source, destination, protocol, ...(servicePort === 0 ? {} : { servicePort: servicePort as Port }) },
        sinceBootNs: now,
      };
    };
    const begun = this.queue.admit(frame.flow, frame.endpoint, Buffer.from(bytes), now, about);
    if (begun) this.announce(begun);
  }

  /** Reads waiting frames; those of `passing` flows are sent on at once. Returns how many it read. */
  private drain(limit: number, passing?: ReadonlySet<string>, untilNs?: bigint): number {
    for (let count = 0; ; count++) {
      if (count >= limit || (untilNs !== undefined && (count & 31) === 31 && this.bootNs() >= untilNs)) return count;
      const bytes = this.device.read();
      if (!bytes) return count;
      const frame = parseHeldFrame(bytes);
      if (!frame) this.refusedFrames++;
      else if (passing?.has(frame.flow)) this.device.write(bytes);
      else this.admit(frame, bytes);
    }
  }

  private matching(endpoint: number, filter: FlowFilter): readonly WaitingFlow<HeldFlow>[] {
    return this.queue.ofEndpoint(endpoint).filter(({ about }) => filter(about));
  }

  /** Whether flows of the endpoint wait that the filter takes. */
  isWaiting(endpoint: number, filter: FlowFilter): boolean {
    return this.matching(endpoint, filter).length > 0;
  }

  /**
   * Sends the frames that wait, and those that come until the TAP is empty; then `opened` is told to let newer packets pass by themselves. The
   * gate must send packets of these flows to the TAP until then, and let frames from it pass.
   */
  release(endpoint: number, filter: FlowFilter, opened: () => void): void {
    const released = this.matching(endpoint, filter);
    const passing = new Set(released.map(({ flow }) => flow));
    for (const { flow } of released) this.sendBack(flow);
    this.drain(Number.POSITIVE_INFINITY, passing, this.bootNs() + KEEP_ORDER_NS);
    opened();
    // What slipped into the TAP between the empty read and the opening.
    this.drain(FRAMES_A_TURN, passing);
  }

  /** Sends the frames that wait through the gate, which answers each by itself: passes it, or refuses it if it still has no pair. */
  sendThrough(endpoint: number, filter: FlowFilter): void {
    for (const { flow } of this.matching(endpoint, filter)) this.sendBack(flow);
  }

  private sendBack(flow: string): void {
    for (const frame of this.queue.take(flow)?.frames ?? []) this.device.write(frame);
  }

  /** Drops the frames that wait. */
  forget(endpoint: number, filter: FlowFilter): void {
    for (const { flow } of this.matching(endpoint, filter)) this.queue.take(flow);
  }

  /**
   * Lets flows wait anew in the name of the endpoint that owns their source now, and announces them again: their endpoint has been attested.
   * Returns the keys under which they wait.
   */
  restart(endpoint: number, filter: FlowFilter): readonly PairKey[] {
    return this.restartFlows(this.matching(endpoint, filter));
  }

  /** The same for every flow whose source has another owner than when it began to wait. */
  restartMoved(): void {
    this.restartFlows(Array.from(this.queue.all()).filter(({ about }) => this.ownerOf(about.key.local) !== about.key.endpoint));
  }

  private restartFlows(flows: readonly WaitingFlow<HeldFlow>[]): readonly PairKey[] {
    return flows.flatMap(({ flow, about }) => {
      const owner = this.ownerOf(about.key.local);
      const frames = this.queue.take(flow)?.frames ?? [];
      if (owner === undefined) return [];
      for (const bytes of frames) {
        bytes.writeUInt32LE(owner, COOKIE_OFFSET);
        const frame = parseHeldFrame(bytes);
        if (frame) this.admit(frame, bytes);
      }
      return [{ ...about.key, endpoint: owner }];
    });
  }

  counts(): { readonly flows: number; readonly frames: number; readonly dropped: number; readonly refused: number } {
    return { ...this.queue.size, dropped: this.queue.dropped, refused: this.refusedFrames };
  }

  close(): void {
    this.timer?.cancel();
  }
}

/** Takes the flow of exactly this key. */
export function flowOf(key: PairKey): FlowFilter {
  return (held) => sameEnds(held.key, key) && held.key.protocol === key.protocol && held.key.servicePort === key.servicePort;
}

/** Takes the flows between the ends of a pair of which this is the client. */
export function flowsBetween(
  ends: Pick<PairKey, 'realm' | 'local' | 'remote'>,
  covers: (protocol: Protocol, servicePort: number) => boolean,
): FlowFilter {
  return (held) => sameEnds(held.key, ends) && covers(held.key.protocol, held.key.servicePort);
}

function sameEnds(a: Pick<PairKey, 'realm' | 'local' | 'remote'>, b: Pick<PairKey, 'realm' | 'local' | 'remote'>): boolean {
  return a.realm === b.realm && a.local.text === b.local.text && a.remote.text === b.remote.text;
}
