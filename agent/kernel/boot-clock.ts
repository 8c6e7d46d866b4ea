import { checkCall } from './kernel-error.ts';
import { clockGettime } from './libc.ts';

const CLOCK_BOOTTIME = 7;
const now = Buffer.alloc(16);

/** Nanoseconds since boot, time asleep included (CLOCK_BOOTTIME): the gate's clock. */
export function bootNs(): bigint {
  checkCall(clockGettime(CLOCK_BOOTTIME, now), 'clock_gettime', 'CLOCK_BOOTTIME');
  return now.readBigInt64LE(0) * 1_000_000_000n + now.readBigInt64LE(8);
}
