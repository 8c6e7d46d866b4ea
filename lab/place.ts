import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SymbolonError } from '#core/errors/error';
import { createCgroup, processesOf } from './cgroup.ts';
import { mustRun } from './command.ts';
import type { LabLayout } from './layout.ts';
import { PLACE_INIT } from './place-init.ts';
import { BASE_SYSCTLS, FORWARDING_SYSCTLS, sysctlScript } from './sysctls.ts';
import type { IpBatch } from './topology.ts';

/** A set of namespaces with a first process: a node, the authority's, the operator's, the router's. */
export interface Place {
  readonly name: string;
  /** `machine`: a file system of its own too. */
  readonly kind: 'machine' | 'plain';
  /** Its first process, by the machine's number. */
  readonly pid: number;
}

/** Starts a place and waits until it is usable. Throws LAB_FAILED with what its first process said. */
export async function startPlace(layout: LabLayout, name: string, kind: Place['kind'], checkout: string): Promise<Place> {
  const folder = layout.placeFolder(name);
  for (const sub of ['root', 'run/lab', 'cgroup']) mkdirSync(join(folder, sub), { recursive: true });
  const cgroup = join(layout.placeCgroup(name), 'init');
  createCgroup(cgroup);
  const sysctls = [...BASE_SYSCTLS, ...(kind === 'machine' || name === 'router' ? FORWARDING_SYSCTLS : [])];
  const script = join(folder, 'init.sh');
  writeFileSync(script, `${sysctlScript(sysctls)}\n${PLACE_INIT}`);
  // The shell leaves the place's first process behind: nobody outside waits for it, so nothing outside has to live on.
  const start = `echo $$ >"$1"; shift; exec unshare --net --mount --uts --pid sh -c '"$@" &' sh "$@"`;
  const argv = ['-c', start, 'sh', join(cgroup, 'cgroup.procs'), 'bash', script, kind, name, folder, checkout, process.execPath];
  await waitForReady(name, argv);
  const pid = processesOf(cgroup).find(isFirstProcess);
  if (pid === undefined) throw new SymbolonError('LAB_FAILED', `${name} ended as soon as it was started`, { what: name });
  return { name, kind, pid };
}

function waitForReady(name: string, argv: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', argv, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, cwd: '/' });
    let said = '';
    let complaint = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('ready\n')) resolve();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', () => reject(new SymbolonError('LAB_FAILED', `${name} could not be set up: ${complaint.trim()}`, { what: name })));
  });
}

/** True if the process is number 1 of its own PID namespace. */
function isFirstProcess(pid: number): boolean {
  try {
    return /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** The command line that runs `argv` in the place's namespaces, at its root directory. */
export function inPlace(place: Place, argv: readonly string[]): readonly string[] {
  return ['nsenter', `--target=${place.pid}`, '--mount', '--uts', '--net', '--pid', '--', ...argv];
}

/** The path of a place's network namespace. */
export function namespacePath(place: Place): string {
  return `/proc/${place.pid}/ns/net`;
}

/** Runs `ip -batch` lines in a network namespace, named by a path. Throws LAB_FAILED. */
export async function applyIpBatch(what: string, namespace: string, lines: IpBatch): Promise<void> {
  await mustRun(what, ['nsenter', `--net=${namespace}`, 'ip', '-batch', '-'], { input: `${lines.join('\n')}\n` });
}
