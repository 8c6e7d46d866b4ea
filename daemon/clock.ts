import { type Instant, instantFromMs } from '#core/time/instant';

/** A pending call. */
export interface Timer {
  cancel(): void;
}

/** The one source of time and delay for things with a lifetime; tests give their own. */
export interface Clock {
  now(): Instant;
  /** Calls `run` once after `ms` milliseconds, however many. Does not keep the process alive. */
  after(ms: number, run: () => void): Timer;
}

/** What setTimeout holds, 24.8 days; it would fire at once for more. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => instantFromMs(Date.now()),
  after: (ms, run) => {
    let handle: NodeJS.Timeout;
    const wait = (leftMs: number): void => {
      const part = Math.min(leftMs, LONGEST_TIMEOUT_MS);
      handle = setTimeout(() => (leftMs > part ? wait(leftMs - part) : run()), part);
      handle.unref();
    };
    wait(ms);
    return { cancel: () => clearTimeout(handle) };
  },
};
