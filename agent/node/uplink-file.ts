import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { writePrivateFile } from '#daemon/unix/private-file';

const file = z.array(z.string().min(1));

/**
 * The names of the uplinks that an earlier agent has gated. Routes tell uplinks only together with other nodes' prefixes: an agent that has no view
 * yet must not take the gate off one. A file that cannot be read names none.
 */
export function loadUplinks(path: string): readonly string[] {
  try {
    return file.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return [];
  }
}

/** Writes the uplinks for the next agent. */
export function saveUplinks(path: string, names: readonly string[]): void {
  writePrivateFile(path, JSON.stringify(names));
}
