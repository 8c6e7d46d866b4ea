import { isSymbolonError } from '#core/errors/error';

/** How long a change waits for others of the same apply. */
const SETTLE_MS = 4000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 400;

/**
 * True for a refusal that may end when another object of the same configuration has changed: its prefixes move from one node to another, its key from
 * one address to another. Terraform knows no order between such changes.
 */
export function maySettle(error: unknown, owner: string): boolean {
  if (isSymbolonError(error, 'CONFLICT') || isSymbolonError(error, 'ENTRY_INVALID')) return error.context.field === 'address_prefixes';
  return isSymbolonError(error, 'ALREADY_EXISTS') && error.context.owner === owner;
}

/** Tries a change again and again, for some seconds, while it may settle. Throws what the last try threw; an interrupt ends the waiting. */
export async function untilSettled<T>(owner: string, signal: AbortSignal, change: () => Promise<T>): Promise<T> {
  const until = performance.now() + SETTLE_MS;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await change();
    } catch (error) {
      if (!maySettle(error, owner) || signal.aborted || performance.now() + pauseMs > until) throw error;
    }
    await pause(pauseMs, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
