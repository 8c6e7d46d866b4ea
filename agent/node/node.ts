import { join } from 'node:path';
import { describeError } from '#core/errors/error';
import type { IpAddress } from '#core/network/address';
import type { IpPrefix } from '#core/network/prefix';
import { buildDirectory, type NodeDirectory } from '#core/registration/directory';
import type { Clock } from '#daemon/clock';
import type { Logger } from '#daemon/log';
import { type NodeInterfaces, type WorkloadInterface, type WorkloadWatch, watchWorkloads } from '../attestation/discovery/watch.ts';
import { judgeIncomplete } from '../attestation/incomplete-look.ts';
import { matchEntries } from '../attestation/match-entries.ts';
import type { AgentConfig } from '../config.ts';
import type { Datapath, EndpointId } from '../datapath/contract.ts';
import { openDatapath } from '../datapath/open.ts';
import { type NodeIdentity, startNodeIdentity } from '../identity/node-identity.ts';
import { Emitter } from '#daemon/emitter';
import { createPairManager, type PairManager } from '../pair/manager.ts';
import { datapathConfigOf } from './datapath-config.ts';
import { type Claims, loadClaims, saveClaims } from './claim-file.ts';
import { loadEndpoints, saveEndpoints } from './endpoint-file.ts';
import type { AttestedInterface } from '../attestation/attestation.ts';
import { planEndpoints, type WorkloadEndpoint } from './endpoints.ts';
import { FirstContact } from './first-contact.ts';
import { INHERITED_NS, InheritedClaims } from './inherited-claims.ts';
import { NodePairJudge } from './node-pair-judge.ts';
import { SecondLook } from './second-look.ts';
import { loadUplinks, saveUplinks } from './uplink-file.ts';

/** At most 15 characters; one for each network namespace. */
const TAP_NAME = 'symbolon-hold';
const NO_DIRECTORY: NodeDirectory = buildDirectory([]);

function sameClaims(a: Claims, b: Claims): boolean {
  return a.size === b.size && [...a].every(([address, until]) => b.get(address) === until);
}

export interface NodeParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends a start that waits for the authority. */
  readonly signal: AbortSignal;
}

/** The agent's whole state, for its sockets. */
export interface RunningNode {
  readonly identity: NodeIdentity;
  readonly datapath: Datapath;
  readonly pairs: PairManager;
  endpoints(): readonly WorkloadEndpoint[];
  /** Called after every change of the endpoints, their credentials or the view. Returns the function that unsubscribes. */
  onChange(listener: () => void): () => void;
  /** What is wrong now, for people; empty = healthy. */
  problems(): readonly string[];
  /** Stops the agent. The gate goes on until the leases end. */
  close(): Promise<void>;
}

/**
 * The composition: the authority's view, the workloads that attestation finds and the pairs that they prove become the gate. Whatever changes, everything is
 * planned anew from the present state; no change is carried from one part to another by hand.
 */
class LiveNode implements RunningNode {
  readonly pairs: PairManager;
  private readonly judge: NodePairJudge;
  private readonly inherited: InheritedClaims;
  private readonly contact: FirstContact;
  private readonly watch: WorkloadWatch;
  private readonly endpointFile: string;
  private readonly uplinkFile: string;
  private readonly claimFile: string;
  private readonly changed = new Emitter<void>();
  private readonly secondLook = new SecondLook((interfaceIndex, ms) => this.lookAgain(interfaceIndex, ms));
  private table: readonly WorkloadEndpoint[];
  private uplinks: readonly string[];
  /** As they were last written. */
  private claims: Claims;
  private interfaces: NodeInterfaces;
  private problem: string | undefined;
  private storeProblem: string | undefined;
  private planned = false;

  constructor(
    private readonly config: AgentConfig,
    private readonly parts: NodeParts,
    readonly datapath: Datapath,
    readonly identity: NodeIdentity,
  ) {
    const { clock, log } = parts;
    this.endpointFile = join(config.dataDirectory, 'endpoints.json');
    this.uplinkFile = join(config.dataDirectory, 'uplinks.json');
    this.uplinks = loadUplinks(this.uplinkFile);
    this.claimFile = join(config.dataDirectory, 'claims.json');
    this.claims = loadClaims(this.claimFile);
    this.inherited = new InheritedClaims(datapath.found.pairs, this.claims, datapath.bootNs());
    if (this.inherited.any) clock.after(Number(INHERITED_NS / 1_000_000n), () => this.reconcile());
    const alive = new Set(datapath.found.endpoints.map((found) => found.endpoint));
    this.table = loadEndpoints(this.endpointFile).filter((endpoint) => alive.has(endpoint.endpoint));
    this.judge = new NodePairJudge((entryId) => identity.workload(entryId), clock);
    this.contact = new FirstContact({
      datapath,
      endpointOf: (id) => this.table.find((endpoint) => endpoint.endpoint === id),
      mayBeAllowed: ({ identity: local }, flow) => local !== undefined && this.judge.mayBeAllowed(local.spiffeId, flow),
      attestAgain: (interfaceIndex) => void this.watch.rescan(interfaceIndex),
      clock,
    });
    this.watch = watchWorkloads(
      {
        uplinks: config.uplinks.length ? config.uplinks : undefined,
        remotePrefixes: this.remotePrefixes(),
        uplinksBefore: this.uplinks,
        clock,
        log: log.scoped('attestation'),
      },
      (interfaces) => {
        this.interfaces = interfaces;
        this.reconcile();
      },
    );
    this.interfaces = this.watch.current();
    // The workloads must be known before the pairs that are still in the gate are looked at.
    this.apply();
    this.pairs = createPairManager({
      datapath: this.datapath,
      onHeld: (listener) => this.contact.onAttested(listener),
      judge: this.judge,
      credential: () => identity.credential(),
      directory: () => identity.view()?.directory ?? NO_DIRECTORY,
      endpointOf: (address): EndpointId | undefined => this.judge.endpointAt(address)?.endpoint,
      mayStand: (found) => this.judge.mayStand(found),
      clock,
      log: log.scoped('pairs'),
      onUnclaimed: () => this.schedule(),
    });
    identity.onView(() => this.viewed());
    identity.onWorkload(() => this.schedule());
    identity.onCredential(() => this.pairs.viewChanged());
    this.viewed();
  }

  private viewed(): void {
    const prefixes = this.remotePrefixes();
    if (prefixes !== undefined) this.watch.setRemotePrefixes(prefixes);
    this.reconcile();
  }

  /** The prefixes of other nodes, of the newest view or of the one that was stored; undefined where there is neither. */
  private remotePrefixes(): readonly IpPrefix[] | undefined {
    const view = this.identity.view();
    const nodes = view && [...view.directory.nodes.values()];
    return nodes?.filter((node) => node.nodeId !== this.identity.nodeId).flatMap((node) => node.prefixes);
  }

  /** Changes that come in one turn are planned together. */
  private schedule(): void {
    if (this.planned) return;
    this.planned = true;
    setImmediate(() => {
      this.planned = false;
      this.reconcile();
    });
  }

  private attest(found: WorkloadInterface): AttestedInterface {
    const { interfaceIndex, name, instance, addresses } = found;
    const known = this.table.find((endpoint) => endpoint.interfaceIndex === interfaceIndex && endpoint.instance === instance);
    const { incompleteLooks } = found;
    const was = known?.identity?.spiffeId ?? (known?.gate === 'unmanaged' ? 'unmanaged' : undefined);
    const matched = judgeIncomplete(matchEntries(found, this.identity.view(), this.identity.nodeId), was, incompleteLooks);
    // An entry that is gone takes the identity with it at once: only what was seen of processes is looked at twice.
    const declared = this.identity.view()?.entries.some((entry) => entry.id === known?.identity?.entryId) ?? false;
    const attestation = this.secondLook.judge(
      interfaceIndex,
      declared ? known?.identity?.spiffeId : undefined,
      matched,
      this.parts.clock.now(),
      incompleteLooks === 0,
    );
    return { interfaceIndex, name, instance, namespace: found.netns, addresses, attestation };
  }

  /** True while another node may take the address for a workload's: by this agent's pairs, or by those that an earlier agent left in the gate. */
  private isClaimed(address: IpAddress): boolean {
    return this.inherited.has(address.text, this.datapath.bootNs()) || (this.pairs?.claimedAddresses().has(address.text) ?? false);
  }

  private lookAgain(interfaceIndex: number, ms: number): void {
    this.parts.clock.after(ms, () => {
      this.watch.rescan(interfaceIndex);
      this.reconcile();
    });
  }

  /** Makes the gate what the present state asks for. */
  private apply(): void {
    const view = this.identity.view();
    this.inherited.provenAnew(this.pairs?.pairs() ?? []);
    const table = planEndpoints({
      known: this.table,
      found: this.interfaces.workloads.map((found) => this.attest(found)),
      defaultEnforcement: view?.settings.enforcement,
      ready: (entryId) => this.identity.workload(entryId) !== undefined,
      newEndpoint: () => this.datapath.newEndpoint(),
      claimed: (address) => this.isClaimed(address),
    });
    this.judge.update(view, table);
    this.store(table);
    this.table = table;
    this.datapath.configure(
      datapathConfigOf({
        nodeId: this.identity.nodeId,
        view,
        endpoints: table,
        interfaces: this.interfaces,
        agentPort: this.config.listenPort,
      }),
    );
  }

  /**
   * Written before the gate is: an agent that comes after a crash here knows a workload too many, never one too few. A full disk must not keep the gate from
   * what it is told; a workload that the next agent does not know begins anew.
   */
  private store(table: readonly WorkloadEndpoint[]): void {
    const names = this.interfaces.uplinkNames;
    try {
      saveEndpoints(this.endpointFile, table);
      if (names.join() !== this.uplinks.join()) saveUplinks(this.uplinkFile, names);
      this.uplinks = names;
      this.storeClaims();
      this.storeProblem = undefined;
    } catch (error) {
      this.cannotStore(error);
    }
  }

  private storeClaims(): void {
    const now = this.datapath.bootNs();
    const claims = new Map([...this.inherited.claims(now), ...(this.pairs?.closedClaims() ?? [])]);
    if (sameClaims(claims, this.claims)) return;
    saveClaims(this.claimFile, claims);
    this.claims = claims;
  }

  private cannotStore(error: unknown): void {
    this.storeProblem = `what this node's workloads are cannot be stored for the agent that comes after this one: ${describeError(error)}`;
    this.parts.log.error({ error }, 'what the workloads are cannot be stored');
  }

  /** What a change of the workloads or the view has closed: another node may not have heard of it. */
  private storeClosed(): void {
    try {
      this.storeClaims();
    } catch (error) {
      this.cannotStore(error);
    }
  }

  private reconcile(): void {
    const revision = this.identity.view()?.revision;
    try {
      this.apply();
      this.pairs.viewChanged();
      this.storeClosed();
      this.contact.settle();
      this.problem = undefined;
      if (revision !== undefined) this.identity.acknowledge(revision);
      this.changed.emit();
    } catch (error) {
      this.problem = `the gate could not be brought up to date: ${describeError(error)}`;
      this.parts.log.error({ error }, 'the gate could not be brought up to date');
      this.identity.acknowledge(this.identity.status().enforcedRevision, this.problem);
    }
  }

  onChange(listener: () => void): () => void {
    return this.changed.subscribe(listener);
  }

  endpoints(): readonly WorkloadEndpoint[] {
    return this.table;
  }

  problems(): readonly string[] {
    const waiting = this.identity.view() === undefined ? ["the authority's state has not come yet"] : [];
    return [
      ...waiting,
      ...this.identity.status().problems,
      ...this.datapath.problems(),
      ...this.interfaces.problems,
      ...[this.problem, this.storeProblem].filter((problem) => problem !== undefined),
    ];
  }

  async close(): Promise<void> {
    this.watch.close();
    await this.pairs.close();
    await this.identity.close();
    await this.datapath.close();
  }
}

/** Joins the trust domain, opens the gate, and keeps it true until `close`. Rejects with what keeps the node from starting. */
export async function startNode(config: AgentConfig, parts: NodeParts): Promise<RunningNode> {
  const { log, clock, signal } = parts;
  const datapath = await openDatapath({ objectPath: config.bpfObject, pinDirectory: config.pinDirectory, tapName: TAP_NAME, clock });
  const identity = await startNodeIdentity({
    trustDomain: config.trustDomain,
    authority: config.authority,
    bootstrap: new Map(config.bootstrapBundle ? [[config.trustDomain, config.bootstrapBundle]] : []),
    joinToken: config.joinToken,
    dataDirectory: config.dataDirectory,
    clock,
    log: log.scoped('identity'),
    signal,
  });
  const node = new LiveNode(config, parts, datapath, identity);
  await node.pairs.listen({ port: config.listenPort });
  log.info({ nodeId: identity.nodeId, port: config.listenPort }, 'the gate is closed but to proven pairs');
  return node;
}
