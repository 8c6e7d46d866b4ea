import type { Clock } from '#daemon/clock';
import type { WorkloadApiSource } from './source.ts';

/** How long a consumer waits for its first state, and what it is told then. */
export interface FirstWithin {
  readonly clock: Clock;
  readonly ms: number;
  readonly error: () => Error;
}

/**
 * The present state at once, and again whenever it has changed, until `signal` aborts. `look` reads the state (undefined: not yet); what it
 * throws ends the stream, and so does `first` if there is no state in time. Changes that come while the consumer is busy are answered once,
 * with the newest state.
 */
export async function* follow<T>(
  source: Pick<WorkloadApiSource, 'subscribe'>,
  signal: AbortSignal,
  look: () => T | undefined,
  same: (a: T, b: T) => boolean,
  first: FirstWithin,
): AsyncGenerator<T, void, undefined> {
  let changed = true;
  let wake = (): void => undefined;
  const notice = (): void => {
    changed = true;
    wake();
  };
  let late = false;
  const timer = first.clock.after(first.ms, () => {
    late = true;
    wake();
  });
  const unsubscribe = source.subscribe(notice);
  signal.addEventListener('abort', notice, { once: true });
  let last: T | undefined;
  try {
    while (!signal.aborted) {
      if (changed) {
        changed = false;
        const next = look();
        if (next === undefined || (last !== undefined && same(last, next))) continue;
        last = next;
        timer.cancel();
        yield next;
      } else if (late && last === undefined) throw first.error();
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    timer.cancel();
    unsubscribe();
    signal.removeEventListener('abort', notice);
  }
}
