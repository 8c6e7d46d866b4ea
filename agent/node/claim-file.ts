import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { writePrivateFile } from '#daemon/unix/private-file';

const file = z.record(z.string(), z.string().regex(/^\d{1,20}$/));

/** What other nodes may still take local addresses for (claimOf), each until a time (CLOCK_BOOTTIME, nanoseconds). */
export type Claims = ReadonlyMap<string, bigint>;

/**
 * The claims that an earlier agent knew of. Their pairs are not in the gate any more, so that an agent that comes back twice would find nothing of
 * them. A file that cannot be read has none.
 */
export function loadClaims(path: string): Claims {
  try {
    return new Map(Object.entries(file.parse(JSON.parse(readFileSync(path, 'utf8')))).map(([claim, until]) => [claim, BigInt(until)]));
  } catch {
    return new Map();
  }
}

/** Writes the claims for the next agent. */
export function saveClaims(path: string, claims: Claims): void {
  writePrivateFile(path, JSON.stringify(Object.fromEntries([...claims].map(([claim, until]) => [claim, until.toString()]))));
}
