/** A moment: milliseconds since the Unix epoch (UTC). Pure functions are given one; only `daemon/clock` makes one from the clock. */
export type Instant = number & { readonly __brand: 'Instant' };

/** Takes milliseconds since the Unix epoch. */
export function instantFromMs(ms: number): Instant {
  if (!Number.isFinite(ms)) throw new RangeError(`${ms} is not a number of milliseconds`);
  return ms as Instant;
}

/** The moment `ms` milliseconds after (before, if negative) `at`. */
export function addMs(at: Instant, ms: number): Instant {
  return (at + ms) as Instant;
}

/** The earlier of several moments. */
export function earliest(first: Instant, ...others: readonly Instant[]): Instant {
  return Math.min(first, ...others) as Instant;
}

/** The last moment that a Date can hold, either side of 1970. */
const MAX_DATE_MS = 8.64e15;

/** ISO 8601 in UTC, for logs and messages. */
export function formatInstant(at: Instant): string {
  return Math.abs(at) <= MAX_DATE_MS ? new Date(at).toISOString() : `${at} ms`;
}
