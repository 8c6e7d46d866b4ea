import type { Logger } from './log.ts';

/** How long an orderly stop may take before the process ends anyway. */
const GRACE_MS = 5000;

/** Runs `close` once at SIGTERM or SIGINT, then ends the process: 0 if it went well, 1 if not or if it took longer than 5 s. */
export function closeOnSignal(log: Logger, close: () => Promise<void>): void {
  let closing = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (closing) return;
    closing = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), GRACE_MS).unref();
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ error }, 'could not stop in order');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
