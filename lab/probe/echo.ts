import { execFile } from 'node:child_process';
import type { SendOutcome, SendTarget } from '../probe-protocol.ts';

/** What ping prints when it was told no: by its own kernel, or by an ICMP error. */
const REFUSAL = /(Operation not permitted|Permission denied|prohibited|filtered|Unreachable|unreachable|Network is unreachable|No route)/;

/** One echo request, by ping(8): a workload has no right to raw sockets, and node has no echo sockets. */
export function sendEcho(target: SendTarget): Promise<SendOutcome> {
  const seconds = Math.max(1, Math.ceil(target.timeoutMs / 1000));
  const source = target.sourceAddress === undefined ? [] : ['-I', target.sourceAddress];
  const start = performance.now();
  return new Promise((resolve) => {
    // the time limit is ours, because ping's is in whole seconds
    execFile('ping', ['-n', '-c1', `-W${seconds}`, ...source, target.address], { timeout: target.timeoutMs }, (_, stdout, stderr) => {
      const rtt = /time=([\d.]+) ms/.exec(stdout)?.[1];
      const refusal = REFUSAL.exec(stdout + stderr)?.[1];
      const ms = Math.round((performance.now() - start) * 1000) / 1000;
      if (rtt !== undefined) resolve({ kind: 'answered', ms: Number(rtt) });
      else if (refusal !== undefined) resolve({ kind: 'error', ms, code: refusal });
      else if (stderr.trim() !== '') resolve({ kind: 'error', ms, code: stderr.trim() });
      else resolve({ kind: 'silence', ms });
    });
  });
}
