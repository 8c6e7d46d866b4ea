import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { SymbolonError } from '#core/errors/error';
import { getOverUnix } from '#daemon/unix/get-over-unix';
import type { AuthorityProcess } from './authority-process.ts';
import { createCgroup } from './cgroup.ts';
import { agentCommand } from './executables.ts';
import type { LabAccess } from './lab-access.ts';
import { INSIDE, outsidePath } from './layout.ts';
import { programIn, signalPrograms, stopPrograms, waitUntilReady } from './part.ts';
import { startInPlace } from './start-in-place.ts';

const PART = 'agent';
/** Before an agent opens its status socket it joins, or takes up its credential, and loads its gate. */
const NOT_STARTED = 'it still joins its trust domain, or loads its gate';
const AUTHORITY_IS_DOWN = "this lab's authority does not run";
const MAX_PROBLEMS = 2;
const STATUS_SOCKET = `${INSIDE.run}/status.sock`;

type LabWithAuthority = LabAccess & { readonly authority: AuthorityProcess };

/** The lab's node agents. Where no nodes are named, all are meant. */
export class Agents {
  readonly #lab: LabWithAuthority;

  constructor(lab: LabWithAuthority) {
    this.#lab = lab;
  }

  /** The agent's process on a node, by the machine's number, or undefined. */
  pid(node: string): number | undefined {
    return programIn(this.#cgroup(node));
  }

  /** The agent's socket for /status, /metrics and /healthz, as the machine sees it. */
  statusSocket(node: string): string {
    return outsidePath(this.#lab.layout, node, STATUS_SOCKET);
  }

  logFile(node: string): string {
    return this.#lab.layout.logFile(node, PART);
  }

  /**
   * Starts the agents that do not run, with a join token for those that have never joined, and waits until they are healthy and connected.
   * `uplinks`: as agentCommand has it. Throws LAB_FAILED if a node is not declared, or an agent does not come up.
   */
  async up(nodes?: readonly string[], uplinks?: readonly string[]): Promise<void> {
    await Promise.all(this.#named(nodes).map((node) => this.#start(node, uplinks)));
  }

  /** Ends agents in order; pairs live on in the kernel until their leases end. */
  async down(nodes?: readonly string[]): Promise<void> {
    await Promise.all(this.#named(nodes).map((node) => stopPrograms(this.#cgroup(node), 'SIGTERM')));
  }

  /** kill -9. */
  async kill(nodes?: readonly string[]): Promise<void> {
    await Promise.all(this.#named(nodes).map((node) => stopPrograms(this.#cgroup(node), 'SIGKILL')));
  }

  /** SIGSTOP, SIGCONT, … */
  signal(node: string, signal: NodeJS.Signals): void {
    signalPrograms(this.#cgroup(node), signal);
  }

  /** GET on the agent's status socket: the code, and the body as text. Throws if the agent does not answer. */
  async fetch(node: string, path: '/status' | '/metrics' | '/healthz'): Promise<{ readonly code: number; readonly body: string }> {
    return await getOverUnix(this.statusSocket(node), path);
  }

  #cgroup(node: string): string {
    return this.#lab.layout.partCgroup(node, PART);
  }

  #named(nodes?: readonly string[]): readonly string[] {
    const names = nodes && nodes.length > 0 ? nodes : this.#lab.spec.nodes.map((n) => n.name);
    for (const name of names) this.#lab.place(name); // throws for unknown ones before anything is done
    return names;
  }

  async #start(node: string, uplinks?: readonly string[]): Promise<void> {
    if (this.pid(node) !== undefined) return;
    const { layout, checkout, spec } = this.#lab;
    const place = this.#lab.place(node);
    const command = agentCommand(checkout, spec, uplinks);
    if (!hasJoined(place.pid)) {
      if (this.#authorityIsDown()) throw this.#failed(node, `cannot join: ${AUTHORITY_IS_DOWN}`);
      writeFileSync(outsidePath(layout, node, INSIDE.bootstrapBundle), await this.#lab.authority.bundlePem());
      writeFileSync(outsidePath(layout, node, INSIDE.joinToken), await this.#lab.authority.mintJoinToken(node), { mode: 0o600 });
    }
    for (const stale of [STATUS_SOCKET, INSIDE.workloadSocket]) rmSync(outsidePath(layout, node, stale), { force: true });
    createCgroup(this.#cgroup(node));
    const logStart = await startInPlace(layout, place, PART, command, this.logFile(node));
    await waitUntilReady({
      what: agentOf(node),
      cgroup: this.#cgroup(node),
      logFile: this.logFile(node),
      logStart,
      waitsFor: () => this.#waitsFor(node),
    });
    rmSync(outsidePath(layout, node, INSIDE.joinToken), { force: true });
  }

  /** What keeps the agent from being healthy, in words; undefined: nothing. Throws LAB_FAILED for what no waiting ends. */
  async #waitsFor(node: string): Promise<string | undefined> {
    if (!existsSync(this.statusSocket(node))) return NOT_STARTED;
    const problems = await this.#problems(node).catch(() => NOT_STARTED);
    if (problems === undefined || problems === NOT_STARTED) return problems;
    if (this.#authorityIsDown()) throw this.#failed(node, `runs, but is not healthy: ${AUTHORITY_IS_DOWN} (${problems})`);
    return problems;
  }

  /** What the agent itself says is wrong. One that has just started with what it was told before may have nothing to complain of yet. */
  async #problems(node: string): Promise<string | undefined> {
    const { code, body } = await this.fetch(node, '/healthz');
    if (code !== 200) return summarise(body);
    const { authority } = JSON.parse((await this.fetch(node, '/status')).body) as { authority: { connected: boolean } };
    return authority.connected ? undefined : 'the authority has not answered it yet';
  }

  #authorityIsDown(): boolean {
    return this.#lab.authority.pid === undefined;
  }

  #failed(node: string, why: string): SymbolonError {
    return new SymbolonError('LAB_FAILED', `${agentOf(node)} ${why}; its log is ${this.logFile(node)}`, { what: agentOf(node) });
  }
}

const agentOf = (node: string): string => `the agent of ${node}`;

/** The first problems of /healthz in one line; all of them often have one cause. */
function summarise(problems: string): string {
  const lines = problems.split('\n').filter(Boolean);
  const more = lines.length > MAX_PROBLEMS ? `; and ${lines.length - MAX_PROBLEMS} more` : '';
  return `${lines.slice(0, MAX_PROBLEMS).join('; ')}${more}`;
}

/** True if an agent has left its credential on the node: another token would revoke it. */
function hasJoined(placePid: number): boolean {
  try {
    return readdirSync(`/proc/${placePid}/root${INSIDE.agentData}`).length > 0;
  } catch {
    return false;
  }
}
