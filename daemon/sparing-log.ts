import type { Clock } from './clock.ts';

/** So many lines in so long. */
const LINES = 20;
const EVERY_MS = 1000;

type Write = (fields: object, event: string) => void;

/**
 * Writes lines that strangers cause: 20 a second at most, because whoever fills a log hides in it, and fills a disk. The next line says how many
 * were left out before it (`leftOut`).
 */
export function sparingLog(write: Write, clock: Clock): Write {
  let until = 0;
  let written = 0;
  let leftOut = 0;
  return (fields, event) => {
    const now = clock.now();
    // A clock that was set back begins anew as well.
    if (now >= until || now < until - EVERY_MS) {
      until = now + EVERY_MS;
      written = 0;
    }
    if (written === LINES) {
      leftOut++;
      return;
    }
    written++;
    write(leftOut > 0 ? { ...fields, leftOut } : fields, event);
    leftOut = 0;
  };
}
