import { SYM_REASON, SYM_SWEEP_ARGS } from '#bpf/gen/layout';
import { addressToBytes } from '#core/network/address';
import type { Protocol } from '#core/network/flow';
import { PrefixTable } from '#core/network/prefix';
import { type Clock, systemClock, type Timer } from '#daemon/clock';
import { flowOf, flowsBetween, Hold } from './hold/hold.ts';
import { bootNs } from '../kernel/boot-clock.ts';
import { BpfObject } from '../kernel/bpf-object.ts';
import { runSyscallProgram } from '../kernel/bpf-program.ts';
import { listLinks } from '../kernel/netlink/links.ts';
import { Tap } from '../kernel/tap.ts';
import { Attachments } from './attachments.ts';
import type {
  Counter,
  Datapath,
  DatapathConfig,
  DirectoryPrefix,
  EndpointId,
  EndpointSpec,
  HeldFlow,
  Lease,
  PairKey,
  PairSpec,
  SessionIndex,
} from './contract.ts';
import { DenialTable } from './denials.ts';
import { foundEndpoints } from './found.ts';
import { type GateMaps, openGateMaps, readConfiguredTables } from './gate-maps.ts';
import { NodeRow } from './node-row.ts';
import { PairTable } from './pairs.ts';
import { planDatapath } from './plan.ts';
import { addressOwnerKey, hex, u32 } from './rows/keys.ts';
import { grantedRows, rowsCover } from './rows/ranges.ts';
import { encodeRow } from './rows/row.ts';
import { SessionTable } from './sessions.ts';
import type { KernelSnapshot, MapChange } from './snapshot.ts';
import { wantedDatapath } from './wanted.ts';

export interface DatapathOptions {
  /** The BPF object, as built into dist/bpf/gate.o. */
  readonly objectPath: string;
  /** A directory of this agent alone, on a bpf file system. What is pinned there outlives the agent and is found again. */
  readonly pinDirectory: string;
  /** Name of the TAP through which packets are held, at most 15 characters. */
  readonly tapName: string;
  readonly clock?: Clock;
}

/** Flows that are over are looked for this often. */
const SWEEP_MS = 5000;

/**
 * Loads the gate, or finds the one that an earlier agent left, and puts this agent's programs in its place. Packets flow as before until
 * `configure`. Throws BPF_LOAD_FAILED, KERNEL_CALL_FAILED.
 */
export function openDatapath(options: DatapathOptions): Promise<Datapath> {
  return Promise.resolve().then(() => {
    const object = BpfObject.load(options.objectPath, options.pinDirectory);
    return new PinnedDatapath(options, object, openGateMaps(object), Tap.open(options.tapName));
  });
}

class PinnedDatapath implements Datapath {
  readonly found: Datapath['found'];
  private readonly clock: Clock;
  private readonly attachments: Attachments;
  private readonly node: NodeRow;
  private readonly pairs: PairTable;
  private readonly sessions: SessionTable;
  private readonly denials: DenialTable;
  private readonly hold: Hold;
  private tables: KernelSnapshot['tables'];
  private endpoints: ReadonlyMap<EndpointId, EndpointSpec>;
  private directory = new PrefixTable<DirectoryPrefix>();
  private sweeper: Timer | undefined;

  constructor(
    options: DatapathOptions,
    private readonly object: BpfObject,
    private readonly maps: GateMaps,
    private readonly tap: Tap,
  ) {
    this.clock = options.clock ?? systemClock;
    this.attachments = new Attachments(options.pinDirectory, object);
    this.tables = readConfiguredTables(maps);
    this.node = new NodeRow(maps.sym_node_conf, this.clock, bootNs, tap.interfaceIndex);
    this.pairs = new PairTable(maps.sym_pairs, this.node);
    this.found = { pairs: this.pairs.list(), endpoints: foundEndpoints(this.tables) };
    this.endpoints = new Map(this.found.endpoints.map((e) => [e.endpoint, e]));
    this.sessions = new SessionTable(
      maps.sym_sessions,
      this.found.pairs.map(({ spec }) => spec.session),
    );
    this.denials = new DenialTable(maps.sym_denied);
    this.hold = new Hold(tap, (address) => this.ownerOf(hex(addressToBytes(address))), this.clock, bootNs);
    this.attachments.update();
    this.node.startHeartbeat();
    this.scheduleSweep();
  }

  private ownerOf(address: string): EndpointId | undefined {
    const endpoint = this.tables.sym_owner.get(addressOwnerKey(address));
    return endpoint === undefined ? undefined : (Buffer.from(endpoint, 'hex').readUInt32LE(0) as EndpointId);
  }

  private scheduleSweep(): void {
    this.sweeper = this.clock.after(SWEEP_MS, () => {
      this.sweep(0);
      this.scheduleSweep();
    });
  }

  /** Deletes flows: of one endpoint all, of 0 those that are over. */
  private sweep(endpoint: number): void {
    runSyscallProgram(this.object.programFd('sym_sweep'), encodeRow(SYM_SWEEP_ARGS, { endpoint }));
  }

  configure(wanted: DatapathConfig): void {
    const macs = new Map(listLinks().map((link) => [link.index, Buffer.from(link.mac, 'hex').subarray(0, 6)]));
    const spec = wantedDatapath(wanted, this.tap.interfaceIndex, macs);
    const found: KernelSnapshot = {
      tables: this.tables,
      attachments: this.attachments.list(),
      pairs: this.pairs.list().map(({ spec: { pair, endpoint, local, remote, role } }) => {
        return { pair, endpoint, local: hex(addressToBytes(local)), remote: hex(addressToBytes(remote)), role };
      }),
    };
    for (const change of planDatapath(spec, found)) this.apply(change);
    this.tables = spec.tables;
    this.endpoints = new Map(wanted.endpoints.map((e) => [e.endpoint, e]));
    this.directory = new PrefixTable();
    for (const entry of wanted.directory) this.directory.set(entry.prefix, entry);
    this.node.setAgentPort(wanted.agentPort);
    this.node.setEndpoints(wanted.endpoints.length);
    this.denials.clear();
    this.hold.restartMoved();
  }

  private apply(change: MapChange): void {
    switch (change.kind) {
      case 'set':
        return this.maps[change.table].set(Buffer.from(change.key, 'hex'), Buffer.from(change.value, 'hex'));
      case 'delete':
        return void this.maps[change.table].delete(Buffer.from(change.key, 'hex'));
      case 'attach':
        return this.attachments.attach(change.attachment);
      case 'detach':
        return this.attachments.detach(change.attachment);
      case 'remove-pair':
        this.pairs.remove(change.pair, (s) => s.endpoint === change.endpoint && hex(addressToBytes(s.local)) === change.local);
        return;
      case 'sweep-endpoint':
        // Without a row it never had a flow, and looking through all flows takes milliseconds.
        if (this.maps.sym_usage.get(u32(change.endpoint)) !== undefined) this.sweep(change.endpoint);
        return;
    }
  }

  newEndpoint(): EndpointId {
    return this.node.nextEndpoint() as EndpointId;
  }

  onHeld(listener: (held: HeldFlow) => void): void {
    this.hold.onHeld(listener);
  }

  private isLive(pair: PairSpec): boolean {
    const now = bootNs();
    return pair.notAfterBootNs > now && this.sessions.isLive(pair.session, now);
  }

  installPair(pair: PairSpec): void {
    const rows = grantedRows(pair.grants);
    const covers = (protocol: Protocol, port: number): boolean => rowsCover(rows, protocol, port);
    const covered = flowsBetween(pair, covers);
    const waits = pair.role === 'client' && this.hold.isWaiting(pair.endpoint, covered);
    this.pairs.install(pair, waits ? 'FLUSHING' : 'LIVE', (older) => this.isLive(older));
    if (pair.role === 'client') this.denials.removeBetween(pair, (key) => covers(key.protocol, key.servicePort));
    if (waits) this.hold.release(pair.endpoint, covered, () => this.pairs.open(pair));
  }

  removePair(pair: number): boolean {
    return this.pairs.remove(pair);
  }

  refuse(key: PairKey, reason: string, untilBootNs: bigint): void {
    this.denials.add(key, reason, untilBootNs);
    this.hold.sendThrough(key.endpoint, flowOf(key));
  }

  retry(key: PairKey): void {
    for (const now of this.hold.restart(key.endpoint, flowOf(key))) {
      // The gate refuses what it gets back and would hold: only what it lets pass by itself goes through it.
      if (!this.waitsForPair(now)) this.hold.sendThrough(now.endpoint, flowOf(now));
    }
  }

  /** Whether the gate would hold the flow if it came now. */
  private waitsForPair(key: PairKey): boolean {
    const gate = this.endpoints.get(key.endpoint)?.gate ?? 'unattested';
    if (gate === 'unmanaged' || (gate === 'inbound' && this.directory.longestMatch(key.remote) === undefined)) return false;
    return gate === 'unattested' || !this.pairs.covers(key, key.protocol, key.servicePort);
  }

  forget(key: PairKey): void {
    this.hold.forget(key.endpoint, flowOf(key));
  }

  openSession(): SessionIndex {
    return this.sessions.open((index) => this.pairs.usesSession(index));
  }

  renewSession(session: SessionIndex, lease: Lease): void {
    // A lease that ran out ended its flows; a new one must not bring them back.
    if (this.sessions.hasLapsed(session, bootNs())) this.pairs.renewEpochs(session);
    this.sessions.renew(session, lease);
  }

  closeSession(session: SessionIndex): void {
    this.sessions.close(session);
  }

  counters(): readonly Counter[] {
    const gate = Object.entries(SYM_REASON)
      .filter(([, index]) => index !== SYM_REASON.NONE)
      .map(([name, index]) => ({
        kind: index < SYM_REASON.PASSED_FLOW ? ('packets refused' as const) : ('packets passed' as const),
        reason: name.toLowerCase().replaceAll('_', '-'),
        count: this.maps.sym_counters.sumPerCpu(index),
      }));
    const { dropped, refused } = this.hold.counts();
    return [
      ...gate,
      { kind: 'packets refused', reason: 'hold-overflow', count: BigInt(dropped) },
      { kind: 'packets refused', reason: 'hold-unreadable', count: BigInt(refused) },
      ...[...this.denials.decided()].map(([reason, count]) => ({ kind: 'flows refused' as const, reason, count })),
    ];
  }

  problems(): readonly string[] {
    return this.attachments.problems();
  }

  bootNs(): bigint {
    return bootNs();
  }

  close(): Promise<void> {
    this.sweeper?.cancel();
    this.node.stopHeartbeat();
    this.hold.close();
    this.tap.close();
    for (const map of Object.values(this.maps)) map.close();
    this.object.close();
    return Promise.resolve();
  }
}
