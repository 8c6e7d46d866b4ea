import { type Instant, instantFromMs } from '#core/time/instant';

/** A pending call. */
export interface Timer {
  cancel(): void;
}

/** The one source of time and delay for things with a lifetime; tests give their own. */
export interface Clock {
  now(): Instant;
  /** Calls `run` once after `ms` milliseconds. Does not keep the process alive. */
  after(ms: number, run: () => void): Timer;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => instantFromMs(Date.now()),
  after: (ms, run) => {
    const handle = setTimeout(run, ms);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
