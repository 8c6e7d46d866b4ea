import type { SendOutcome } from '../probe-protocol.ts';

/** Resolves with the first outcome that `run` reports, or silence after `timeoutMs`; `ms` counts from the call. */
export function timed(timeoutMs: number, run: (report: (kind: SendOutcome['kind'], code?: string) => void) => void): Promise<SendOutcome> {
  return new Promise((resolve) => {
    const start = performance.now();
    const report = (kind: SendOutcome['kind'], code?: string): void => {
      clearTimeout(timer);
      const ms = Math.round((performance.now() - start) * 1000) / 1000;
      resolve(code === undefined ? { kind, ms } : { kind, ms, code });
    };
    const timer = setTimeout(() => report('silence'), timeoutMs);
    run(report);
  });
}

/** The name of the kernel's refusal. */
export function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message;
}
