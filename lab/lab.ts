import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { SymbolonError } from '#core/errors/error';
import { parseIpPrefix } from '#core/network/prefix';
import { AuthorityProcess } from './authority-process.ts';
import { Agents } from './agents.ts';
import { createCgroup, findCgroupRoot } from './cgroup.ts';
import { type CommandOptions, type CommandResult, mustRun, runCommand } from './command.ts';
import { authorityEndpoint, endpointOf, findCheckout, AGENT_PORT, probeBundle } from './executables.ts';
import { INSIDE, type LabLayout, layoutOf, outsidePath } from './layout.ts';
import { AUTHORITY, hostSideInterface, labIdOf, OPERATOR, ROUTER, routerSideInterface, UPLINK } from './names.ts';
import { applyIpBatch, inPlace, namespacePath, type Place, startPlace } from './place.ts';
import { identifyProcess } from './process-identity.ts';
import { addressOf, type LabSpec, type NodeSpec, type WorkloadSpec } from './spec.ts';
import { findLabs, type LabState, writeState } from './state.ts';
import { agentStateOf, type LabStatus } from './status.ts';
import { removeLab, sweepLabs } from './sweep.ts';
import { planFarEnd, planNodePrefixes, planRouter, planRouterLink } from './topology.ts';
import { addWorkload, asWorkload, removeWorkload, workloadNamespace } from './workload.ts';

export interface LabOptions {
  /** `process` (default): the lab goes when this process does; `none`: it stays until somebody removes it. */
  readonly owner?: 'process' | 'none';
  /** Start the authority too. Default: true. */
  readonly authority?: boolean;
  readonly checkout?: string;
}

/** Where a command runs: a node, or `operator`, `authority`, `router`; with `workload`, as that workload of the node. */
export interface ExecTarget {
  readonly place: string;
  readonly workload?: string;
}

/** A lab that is up: nodes, workloads, a router, the authority and the operator on one machine. */
export class Lab {
  readonly layout: LabLayout;
  readonly authority: AuthorityProcess;
  readonly agents: Agents;
  #state: LabState;

  constructor(state: LabState) {
    this.#state = state;
    this.layout = layoutOf(state.id, findCgroupRoot());
    this.authority = new AuthorityProcess(this);
    this.agents = new Agents(this);
  }

  get id(): string {
    return this.#state.id;
  }

  get checkout(): string {
    return this.#state.checkout;
  }

  /** What is there now, workloads added or removed since the start included. */
  get spec(): LabSpec {
    return this.#state.spec;
  }

  /** The place of a name. Throws LAB_FAILED for a name that the lab has not. */
  place(name: string): Place {
    const found = this.#state.places.find((p) => p.name === name);
    if (found) return found;
    throw new SymbolonError('LAB_FAILED', `the lab has no node ${name}; it has ${this.#state.places.map((p) => p.name).join(', ')}`, {
      what: name,
    });
  }

  /** The node of a name. Throws LAB_FAILED. */
  node(name: string): NodeSpec {
    const found = this.spec.nodes.find((n) => n.name === name);
    if (found) return found;
    throw new SymbolonError('LAB_FAILED', `the lab has no node ${name}; it has ${this.spec.nodes.map((n) => n.name).join(', ')}`, {
      what: name,
    });
  }

  /** A workload and its node, by the workload's name (unique in a lab). Throws LAB_FAILED. */
  workload(name: string): { readonly node: NodeSpec; readonly workload: WorkloadSpec } {
    for (const node of this.spec.nodes) {
      const workload = node.workloads.find((w) => w.name === name);
      if (workload) return { node, workload };
    }
    const all = this.spec.nodes.flatMap((n) => n.workloads.map((w) => w.name));
    throw new SymbolonError('LAB_FAILED', `the lab has no workload ${name}; it has ${all.join(', ')}`, { what: name });
  }

  /** The address of a workload in a family. Throws LAB_FAILED if it has none. */
  addressOf(workload: string, family: 4 | 6): string {
    const found = addressOf(this.workload(workload).workload.addresses, family);
    if (found) return found.text;
    throw new SymbolonError('LAB_FAILED', `${workload} has no IPv${family} address`, { what: workload });
  }

  /** The command line that runs `argv` there, for spawn: it passes the exit code through. Throws LAB_FAILED for unknown names. */
  commandFor(target: ExecTarget, argv: readonly string[]): readonly string[] {
    const place = this.place(target.place);
    if (target.workload === undefined) return inPlace(place, argv);
    const { node, workload } = this.workload(target.workload);
    if (node.name !== place.name) {
      throw new SymbolonError('LAB_FAILED', `${workload.name} runs on ${node.name}, not on ${place.name}`, { what: workload.name });
    }
    return asWorkload(this.layout, place, workload, argv);
  }

  /** Runs a command to its end and collects its output. Throws LAB_FAILED for unknown names, not for an exit code. */
  async exec(target: ExecTarget, argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return await runCommand(this.commandFor(target, argv), options);
  }

  /** exec as a workload, wherever it runs. */
  async execAs(workload: string, argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return await this.exec({ place: this.workload(workload).node.name, workload }, argv, options);
  }

  /** Gives a node a further workload while the lab is up. Throws LAB_FAILED. */
  async addWorkload(node: string, workload: WorkloadSpec): Promise<void> {
    await addWorkload(this.layout, this.place(node), this.node(node), workload);
    this.#changeNode(node, (n) => ({ ...n, workloads: [...n.workloads, workload] }));
  }

  /** Takes a workload away with everything that it has. Throws LAB_FAILED. */
  async removeWorkload(name: string): Promise<void> {
    const { node } = this.workload(name);
    await removeWorkload(this.layout, this.place(node.name), name);
    this.#changeNode(node.name, (n) => ({ ...n, workloads: n.workloads.filter((w) => w.name !== name) }));
  }

  /** Gives a workload's addresses to another one, as happens when a pod's address is used again. Throws LAB_FAILED. */
  async replaceWorkload(name: string, by: { readonly name: string; readonly uid: number }): Promise<void> {
    const { node, workload } = this.workload(name);
    await this.removeWorkload(name);
    await this.addWorkload(node.name, { ...by, addresses: workload.addresses });
  }

  /** Gives the interface of a workload, or of OPERATOR, an address that is not its own while `act` runs: what root could do there. */
  async withForeignAddress<T>(who: string, address: string, act: () => Promise<T>): Promise<T> {
    const namespace =
      who === OPERATOR ? namespacePath(this.place(OPERATOR)) : workloadNamespace(this.place(this.workload(who).node.name), who);
    const line = (verb: string): string =>
      `addr ${verb} ${parseIpPrefix(address).text} dev ${UPLINK}${verb === 'add' && address.includes(':') ? ' nodad' : ''}`;
    await applyIpBatch('forging an address', namespace, [line('add')]);
    try {
      return await act();
    } finally {
      await applyIpBatch('taking a forged address away', namespace, [line('del')]);
    }
  }

  /** The MTU of the link between the router and a place, both ends. */
  async setMtu(place: string, mtu: number): Promise<void> {
    await applyIpBatch('changing the MTU', namespacePath(this.place(ROUTER)), [`link set ${routerSideInterface(place)} mtu ${mtu}`]);
    await applyIpBatch('changing the MTU', namespacePath(this.place(place)), [`link set ${UPLINK} mtu ${mtu}`]);
  }

  /** Cuts or restores a place's link to the router. */
  async setLink(place: string, state: 'up' | 'down'): Promise<void> {
    const lines = state === 'up' ? planRouterLink(this.spec, place) : [`link set ${routerSideInterface(place)} down`];
    await applyIpBatch('changing the link', namespacePath(this.place(ROUTER)), lines);
  }

  /** The lab as it is now, for people and programs. */
  status(): LabStatus {
    const { layout, spec } = this;
    const texts = (list: readonly { readonly text: string }[]): readonly string[] => list.map((a) => a.text);
    const place = (name: string): string => namespacePath(this.place(name));
    return {
      id: this.id,
      checkout: this.checkout,
      owner: this.#state.owner,
      runFolder: layout.runFolder,
      authority: {
        trustDomain: spec.trustDomain,
        adminSocket: this.authority.adminSocket,
        apiAddress: authorityEndpoint(spec),
        pid: this.authority.pid ?? null,
        namespace: place(AUTHORITY),
        logFile: layout.logFile(AUTHORITY, 'authority'),
      },
      operator: { namespace: place(OPERATOR), addresses: texts(spec.operator.addresses) },
      router: { namespace: place(ROUTER), addresses: texts(spec.router.addresses) },
      nodes: spec.nodes.map((n) => {
        const workloadSocket = outsidePath(layout, n.name, INSIDE.workloadSocket);
        const pid = this.agents.pid(n.name);
        return {
          name: n.name,
          namespace: place(n.name),
          pid: this.place(n.name).pid,
          addresses: texts(n.addresses),
          prefixes: texts(n.prefixes),
          uplink: UPLINK,
          agent: {
            state: agentStateOf(pid, workloadSocket),
            pid: pid ?? null,
            endpoint: endpointOf(n.addresses, AGENT_PORT),
            statusSocket: this.agents.statusSocket(n.name),
            logFile: layout.logFile(n.name, 'agent'),
          },
          workloadSocket,
        };
      }),
      workloads: spec.nodes.flatMap((n) =>
        n.workloads.map((w) => ({
          name: w.name,
          node: n.name,
          uid: w.uid,
          cgroup: layout.partCgroup(n.name, w.name).slice(layout.cgroup.lastIndexOf('/')),
          namespace: workloadNamespace(this.place(n.name), w.name),
          addresses: texts(w.addresses),
          hostInterface: hostSideInterface(w.name),
        })),
      ),
    };
  }

  /** Leaves the lab to itself: it outlives this process, until `down`. */
  release(): void {
    this.#save({ ...this.#state, owner: null });
  }

  /** Removes everything that the lab has put on the machine. */
  async down(): Promise<void> {
    await removeLab(this.layout);
  }

  #changeNode(name: string, change: (node: NodeSpec) => NodeSpec): void {
    const nodes = this.spec.nodes.map((n) => (n.name === name ? change(n) : n));
    this.#save({ ...this.#state, spec: { ...this.spec, nodes } });
  }

  #save(state: LabState): void {
    this.#state = state;
    writeState(this.layout, state);
  }
}

/** Puts a lab up, after removing those whose owner is dead. Throws LAB_FAILED or PREREQUISITE_MISSING, having removed what it had made. */
export async function startLab(spec: LabSpec, options: LabOptions = {}): Promise<Lab> {
  if (process.getuid?.() !== 0) {
    throw new SymbolonError('PREREQUISITE_MISSING', 'a lab makes namespaces and loads BPF programs; run this as root', { what: 'root' });
  }
  await sweepLabs();
  const checkout = options.checkout ?? findCheckout();
  const taken = new Set(findLabs().map((l) => l.id));
  // One process may have several labs: the first free number stands for it.
  const id =
    Array.from({ length: 64 }, (_, i) => labIdOf(`${checkout}#${i}`, process.pid)).find((candidate) => !taken.has(candidate)) ?? '';
  const layout = layoutOf(id, findCgroupRoot());
  const owner = options.owner === 'none' ? undefined : identifyProcess(process.pid);
  // The owner stands in the state from the first moment, so that a start that is killed gets swept.
  const starting: LabState = { id, checkout, owner: identifyProcess(process.pid) ?? null, startedAtMs: Date.now(), spec, places: [] };
  mkdirSync(layout.runFolder, { mode: 0o755 });
  writeState(layout, starting);
  try {
    createCgroup(layout.cgroup);
    const places = await Promise.all([
      startPlace(layout, ROUTER, 'plain', checkout),
      startPlace(layout, OPERATOR, 'plain', checkout),
      startPlace(layout, AUTHORITY, 'machine', checkout),
      ...spec.nodes.map((n) => startPlace(layout, n.name, 'machine', checkout)),
    ]);
    await connectPlaces(layout, spec, places, checkout);
    writeState(layout, { ...starting, owner: owner ?? null, places });
    const lab = new Lab({ ...starting, owner: owner ?? null, places });
    if (options.authority !== false) await lab.authority.start();
    return lab;
  } catch (error) {
    await removeLab(layout);
    throw error;
  }
}

async function connectPlaces(layout: LabLayout, spec: LabSpec, places: readonly Place[], checkout: string): Promise<void> {
  const byName = new Map(places.map((p) => [p.name, p]));
  const place = (name: string): Place => {
    const found = byName.get(name);
    if (!found) throw new SymbolonError('LAB_FAILED', `${name} was not started`, { what: name });
    return found;
  };
  await applyIpBatch(
    'setting up the router',
    namespacePath(place(ROUTER)),
    planRouter(spec, (name) => place(name).pid),
  );
  const uplink = (name: string, lines: readonly string[]): Promise<void> =>
    applyIpBatch(`setting up the uplink of ${name}`, namespacePath(place(name)), lines);
  await Promise.all([
    uplink(OPERATOR, planFarEnd(spec.operator.addresses, 'router')),
    uplink(AUTHORITY, planFarEnd(spec.authority.addresses, 'router')),
    ...spec.nodes.map(async (node) => {
      await uplink(node.name, [...planFarEnd(node.addresses, 'router'), ...planNodePrefixes(node)]);
      if (existsSync(`${checkout}/dist/lab/probe.js`)) copyFileSync(probeBundle(checkout), outsidePath(layout, node.name, INSIDE.probe));
      for (const workload of node.workloads) await addWorkload(layout, place(node.name), node, workload);
    }),
  ]);
  await mustRun('checking the router', inPlace(place(ROUTER), ['true']));
}

/**
 * The lab of a checkout that stays by itself (`lab up`, or quickstart --keep), or the one with the id. Throws LAB_FAILED if there is none, or if
 * there are several to choose from.
 */
export function openLab(options: { readonly id?: string; readonly checkout?: string } = {}): Lab {
  const checkout = options.checkout ?? findCheckout();
  const labs = findLabs().flatMap(({ state }) => (state ? [state] : []));
  const fitting =
    options.id === undefined ? labs.filter((l) => l.owner === null && l.checkout === checkout) : labs.filter((l) => l.id === options.id);
  const [only, ...more] = fitting;
  if (only && more.length === 0) return new Lab(only);
  const message = only
    ? `there are several labs of this checkout: ${fitting.map((l) => l.id).join(', ')}; say which, like: npx symbolon lab --lab ${only.id} status`
    : options.id === undefined
      ? 'no lab is up; start one with `symbolon lab up`'
      : `there is no lab ${options.id}; \`symbolon lab up\` starts one`;
  throw new SymbolonError('LAB_FAILED', message, { what: options.id ?? checkout });
}
