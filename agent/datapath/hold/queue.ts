/** How much may wait. Whatever exceeds a bound is dropped: its sender sends again. */
export interface HoldLimits {
  readonly framesPerFlow: number;
  readonly flowsPerEndpoint: number;
  readonly frames: number;
}

export const DEFAULT_HOLD_LIMITS: HoldLimits = { framesPerFlow: 64, flowsPerEndpoint: 256, frames: 4096 };

/** A flow that waits; `T` is what the owner keeps with it. */
export interface WaitingFlow<T> {
  readonly flow: string;
  readonly endpoint: number;
  readonly sinceBootNs: bigint;
  readonly about: T;
  readonly frames: Buffer[];
}

interface EndpointShare {
  frames: number;
  readonly flows: Set<string>;
}

/**
 * Packets that wait for an answer, in order, by flow. No endpoint can take another's place: when everything is full, the room for a new frame
 * comes from the endpoint that holds most, unless that is the sender itself.
 */
export class HoldQueue<T> {
  private readonly flows = new Map<string, WaitingFlow<T>>();
  private readonly shares = new Map<number, EndpointShare>();
  private frames = 0;
  /** Frames that found no room, and frames that made room for others. */
  dropped = 0;

  constructor(private readonly limits: HoldLimits = DEFAULT_HOLD_LIMITS) {}

  /** Takes a frame (the caller gives it away). Returns the flow if it begins to wait with this frame. */
  admit(flow: string, endpoint: number, frame: Buffer, nowBootNs: bigint, about: () => T): WaitingFlow<T> | undefined {
    const share = this.shares.get(endpoint) ?? { frames: 0, flows: new Set<string>() };
    const waiting = this.flows.get(flow);
    const full = waiting ? waiting.frames.length >= this.limits.framesPerFlow : share.flows.size >= this.limits.flowsPerEndpoint;
    if (full || (this.frames >= this.limits.frames && !this.makeRoom(endpoint, share))) {
      this.dropped++;
      return undefined;
    }
    this.shares.set(endpoint, share);
    share.frames++;
    this.frames++;
    if (waiting) {
      waiting.frames.push(frame);
      return undefined;
    }
    const begun = { flow, endpoint, sinceBootNs: nowBootNs, about: about(), frames: [frame] };
    share.flows.add(flow);
    this.flows.set(flow, begun);
    return begun;
  }

  /** Drops the newest frame of the endpoint that holds most, if it holds more than the one that asks. */
  private makeRoom(asking: number, share: EndpointShare): boolean {
    let most: EndpointShare | undefined;
    for (const [endpoint, other] of this.shares) if (endpoint !== asking && other.frames > (most?.frames ?? share.frames)) most = other;
    const victim = most && this.flows.get([...most.flows].at(-1) ?? '');
    if (!most || !victim) return false;
    victim.frames.pop();
    most.frames--;
    this.frames--;
    this.dropped++;
    if (victim.frames.length === 0) this.take(victim.flow);
    return true;
  }

  get(flow: string): WaitingFlow<T> | undefined {
    return this.flows.get(flow);
  }

  /** Takes a flow out, with its frames. */
  take(flow: string): WaitingFlow<T> | undefined {
    const waiting = this.flows.get(flow);
    if (!waiting) return undefined;
    this.flows.delete(flow);
    this.frames -= waiting.frames.length;
    const share = this.shares.get(waiting.endpoint);
    if (share) {
      share.frames -= waiting.frames.length;
      share.flows.delete(flow);
      if (share.flows.size === 0) this.shares.delete(waiting.endpoint);
    }
    return waiting;
  }

  /** The flows of an endpoint that wait, oldest first. */
  ofEndpoint(endpoint: number): readonly WaitingFlow<T>[] {
    return [...(this.shares.get(endpoint)?.flows ?? [])].flatMap((flow) => this.flows.get(flow) ?? []);
  }

  all(): IterableIterator<WaitingFlow<T>> {
    return this.flows.values();
  }

  /** Takes out the flows that began to wait before `beforeBootNs`. */
  expire(beforeBootNs: bigint): readonly WaitingFlow<T>[] {
    const late: WaitingFlow<T>[] = [];
    for (const waiting of this.flows.values()) {
      if (waiting.sinceBootNs >= beforeBootNs) break; // in order of beginning
      late.push(waiting);
    }
    for (const { flow, frames } of late) {
      this.dropped += frames.length;
      this.take(flow);
    }
    return late;
  }

  get size(): { readonly flows: number; readonly frames: number } {
    return { flows: this.flows.size, frames: this.frames };
  }
}
