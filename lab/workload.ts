import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SymbolonError } from '#core/errors/error';
import { createCgroup, killCgroup, processesOf, removeCgroup } from './cgroup.ts';
import { mustRun } from './command.ts';
import { INSIDE, type LabLayout } from './layout.ts';
import { hostSideInterface } from './names.ts';
import { applyIpBatch, inPlace, namespacePath, type Place } from './place.ts';
import { enteringCgroup, startInPlace } from './start-in-place.ts';
import type { NodeSpec, WorkloadSpec } from './spec.ts';
import { BASE_SYSCTLS, sysctlScript } from './sysctls.ts';
import { planFarEnd, planHostSide, planWorkloadLink } from './topology.ts';

/** How long the process that stays in a workload may take to get there. */
const START_PATIENCE_MS = 20_000;
const POLL_MS = 5;

/** The workload's network namespace, by a path of the machine. */
export function workloadNamespace(place: Place, workload: string): string {
  return `/proc/${place.pid}/root/run/netns/${workload}`;
}

/** The command line that runs `argv` as a workload: its namespace, its cgroup, its user, without any right beyond those. */
export function asWorkload(layout: LabLayout, place: Place, workload: WorkloadSpec, argv: readonly string[]): readonly string[] {
  const user = ['nsenter', `--net=/run/netns/${workload.name}`, `--setgid=${workload.uid}`, `--setuid=${workload.uid}`, '--'];
  const settings = ['env', 'HOME=/tmp', `SPIFFE_ENDPOINT_SOCKET=unix://${INSIDE.workloadSocket}`];
  const command = [...user, 'setpriv', '--no-new-privs', ...settings, ...argv];
  return inPlace(place, ['sh', '-c', enteringCgroup(layout, place, workload.name), 'sh', ...command]);
}

/** Gives a node a workload: namespace, veth, addresses, and one process that stays, so that there is somebody to attest before the first packet. */
export async function addWorkload(layout: LabLayout, place: Place, node: NodeSpec, workload: WorkloadSpec): Promise<void> {
  const { name, uid } = workload;
  createCgroup(layout.partCgroup(place.name, name));
  await mustRun(`creating the namespace of ${name}`, inPlace(place, ['ip', 'netns', 'add', name]));
  const namespace = workloadNamespace(place, name);
  const sysctls = sysctlScript(BASE_SYSCTLS);
  await mustRun(`setting up the namespace of ${name}`, ['nsenter', `--net=${namespace}`, 'sh', '-e'], { input: sysctls });
  const link = planWorkloadLink(workload, name).join('\n');
  await mustRun(`linking ${name}`, inPlace(place, ['ip', '-batch', '-']), { input: `${link}\n` });
  const stay = [
    'nsenter',
    `--net=/run/netns/${name}`,
    `--setgid=${uid}`,
    `--setuid=${uid}`,
    '--',
    'setpriv',
    '--no-new-privs',
    'sleep',
    'infinity',
  ];
  await startInPlace(layout, place, name, stay);
  await waitForUser(name, layout.partCgroup(place.name, name), uid);
  await applyIpBatch(`addressing ${name}`, namespace, planFarEnd(workload.addresses, 'node'));
  await applyIpBatch(`routing ${name}`, namespacePath(place), planHostSide(workload, node.addresses));
}

/** Waits until the group's process has become the workload: it is root for a moment. Throws LAB_FAILED if it does not. */
async function waitForUser(name: string, cgroup: string, uid: number): Promise<void> {
  for (const deadline = Date.now() + START_PATIENCE_MS; Date.now() < deadline; await sleep(POLL_MS)) {
    const pids = processesOf(cgroup);
    if (pids.length > 0 && pids.every((pid) => isOfUser(pid, uid))) return;
  }
  throw new SymbolonError('LAB_FAILED', `no process of ${name} runs as uid ${uid} after ${START_PATIENCE_MS / 1000} s`, { what: name });
}

function isOfUser(pid: number, uid: number): boolean {
  const file = `/proc/${pid}/status`;
  return existsSync(file) && new RegExp(`^Uid:\\t${uid}\\t`, 'm').test(readFileSync(file, 'utf8'));
}

/** Takes a workload away: its processes, its link, its namespace, its cgroup. */
export async function removeWorkload(layout: LabLayout, place: Place, name: string): Promise<void> {
  const cgroup = layout.partCgroup(place.name, name);
  await killCgroup(cgroup);
  await mustRun(`removing the link of ${name}`, inPlace(place, ['ip', 'link', 'del', hostSideInterface(name)]));
  await mustRun(`removing the namespace of ${name}`, inPlace(place, ['ip', 'netns', 'del', name]));
  removeCgroup(cgroup);
}
