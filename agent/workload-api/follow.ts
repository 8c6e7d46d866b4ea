import type { WorkloadApiSource } from './source.ts';

/**
 * The present state at once, and again whenever it has changed, until `signal` aborts. `look` reads the state (undefined: not yet); what it
 * throws ends the stream. Changes that come while the consumer is busy are answered once, with the newest state.
 */
export async function* follow<T>(
  source: Pick<WorkloadApiSource, 'subscribe'>,
  signal: AbortSignal,
  look: () => T | undefined,
  same: (a: T, b: T) => boolean,
): AsyncGenerator<T, void, undefined> {
  let changed = true;
  let wake = (): void => undefined;
  const notice = (): void => {
    changed = true;
    wake();
  };
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
        yield next;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', notice);
  }
}
