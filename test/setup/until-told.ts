import { spawn } from 'node:child_process';

/** A process that a test has started and ends. */
export interface UntilTold {
  isOver(): boolean;
  /** Ends its input, and waits until it is over. The code is null if a signal has ended it. */
  end(): Promise<{ readonly code: number | null; readonly stdout: string }>;
}

/** Starts a command that goes on until its standard input ends: what a test does meanwhile may take as long as it takes. */
export function startUntilTold([file = '', ...args]: readonly string[]): UntilTold {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  let over = false;
  let stdout = '';
  child.stdin.on('error', () => undefined); // it is over already
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      over = true;
      resolve(code);
    });
  });
  return {
    isOver: () => over,
    end: async () => {
      child.stdin.end();
      return { code: await closed, stdout };
    },
  };
}
