import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
let built: string | undefined;

/** The program of processes.c, built. */
function processesTool(): string {
  if (built === undefined) {
    mkdirSync(join(ROOT, 'dist/test'), { recursive: true });
    const file = join(ROOT, 'dist/test/processes');
    execFileSync('clang', ['-O2', '-Wall', '-Wextra', '-o', file, join(__dirname, 'processes.c'), '-lpthread']);
    built = file;
  }
  return built;
}

/** `hop`: goes on as another process every so many microseconds. `leaderless`: its first thread has ended, another goes on. */
export type Elusive = readonly ['hop', microseconds: number] | readonly ['leaderless'];

/** The command line of a process that is hard to look at, in a network namespace given by its path, as a user. It ends when its input does. */
export function elusiveCommand(kind: Elusive, namespace: string, uid: number): readonly string[] {
  const [mode, ...more] = kind;
  return [processesTool(), mode, namespace, String(uid), ...more.map(String)];
}
