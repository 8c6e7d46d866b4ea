import type { Flow } from '#core/network/flow';
import type { Grant } from '#core/policy/model';
import type {
  Counter,
  Datapath,
  DatapathConfig,
  EndpointId,
  EndpointSpec,
  FoundPair,
  HeldFlow,
  Lease,
  PairKey,
  PairSpec,
  SessionIndex,
} from '../contract.ts';

interface Row {
  readonly spec: PairSpec;
  readonly epoch: number;
}

const sameKey = (a: PairKey, b: PairKey): boolean => keyText(a) === keyText(b);
const keyText = (k: PairKey): string => [k.realm, k.endpoint, k.local.text, k.remote.text, k.protocol, k.role, k.servicePort].join(' ');
const rowKey = (s: PairSpec): string => [s.realm, s.endpoint, s.local.text, s.remote.text, s.role].join(' ');
const covers = (grants: readonly Grant[], protocol: number, port: number): boolean =>
  grants.some((g) => g.protocol === protocol && g.lowPort <= port && port <= g.highPort);

/** A gate in memory that keeps the contract of Datapath: pairs, leases, epochs, held and refused flows. Time goes only when told to. */
export class FakeDatapath implements Datapath {
  readonly found: { readonly pairs: readonly FoundPair[]; readonly endpoints: readonly EndpointSpec[] };
  readonly rows = new Map<string, Row>();
  readonly leases = new Map<SessionIndex, Lease>();
  readonly refusals: { readonly key: PairKey; readonly reason: string; readonly untilBootNs: bigint }[] = [];
  readonly forgotten: PairKey[] = [];
  /** Every change of rows, in order. */
  readonly history: string[] = [];
  private readonly held: HeldFlow[] = [];
  private listeners: ((held: HeldFlow) => void)[] = [];
  private nextEndpoint = 1;
  private nextSession = 1;
  private nextEpoch = 1;
  private now = 1_000_000_000_000n;
  private startMs = performance.now();
  private rate = 1;
  /** Makes installPair throw. */
  full = false;

  constructor(found: readonly FoundPair[] = []) {
    this.found = { pairs: found, endpoints: [] };
    for (const { spec, epoch } of found) this.rows.set(rowKey(spec), { spec, epoch });
    this.nextEpoch = 1 + Math.max(0, ...found.map((f) => f.epoch));
    this.nextSession = 1 + Math.max(0, ...found.map((f) => f.spec.session));
  }

  configure(_wanted: DatapathConfig): void {
    this.refusals.length = 0;
  }
  newEndpoint(): EndpointId {
    return this.nextEndpoint++ as EndpointId;
  }
  onHeld(listener: (held: HeldFlow) => void): void {
    this.listeners.push(listener);
  }

  installPair(pair: PairSpec): void {
    if (this.full) throw new Error('the pair map is full');
    const key = rowKey(pair);
    const old = this.rows.get(key);
    const epoch = old?.epoch ?? this.nextEpoch++;
    this.rows.set(key, { spec: pair, epoch });
    this.history.push(`install ${pair.role} ${pair.pair} epoch ${epoch}`);
    this.release((k) => rowKey({ ...pair, ...k }) === key && covers(pair.grants, k.protocol, k.servicePort));
  }
  removePair(pair: number): boolean {
    for (const [key, row] of this.rows) {
      if (row.spec.pair !== pair) continue;
      this.rows.delete(key);
      this.history.push(`remove ${row.spec.role} ${pair}`);
      return true;
    }
    return false;
  }
  refuse(key: PairKey, reason: string, untilBootNs: bigint): void {
    this.refusals.push({ key, reason, untilBootNs });
    this.release((k) => sameKey(k, key));
  }
  retry(key: PairKey): void {
    const waiting = this.held.filter((h) => sameKey(h.key, key));
    this.release((k) => sameKey(k, key));
    for (const { flow } of waiting) this.send(key.endpoint, flow);
  }
  forget(key: PairKey): void {
    this.forgotten.push(key);
    this.release((k) => sameKey(k, key));
  }

  openSession(): SessionIndex {
    return this.nextSession++ as SessionIndex;
  }
  renewSession(session: SessionIndex, lease: Lease): void {
    this.leases.set(session, lease);
  }
  closeSession(session: SessionIndex): void {
    this.leases.delete(session);
  }

  counters(): readonly Counter[] {
    return [];
  }
  problems(): readonly string[] {
    return [];
  }
  bootNs(): bigint {
    return this.now + BigInt(Math.floor((performance.now() - this.startMs) * 1e6 * this.rate));
  }
  close(): Promise<void> {
    return Promise.resolve();
  }

  // ---- what a test does and sees

  /** Time passes. */
  advance(seconds: number): void {
    this.now += BigInt(Math.round(seconds * 1e9));
  }

  /** From now on time passes so many times as fast. */
  hurry(times: number): void {
    this.now = this.bootNs();
    this.startMs = performance.now();
    this.rate = times;
  }

  /** A packet of a workload, from its own gate: passes, is refused, or is held (again). */
  send(endpoint: EndpointId, flow: Flow): 'passed' | 'refused' | 'held' {
    const key: PairKey = {
      realm: 0,
      endpoint,
      local: flow.source,
      remote: flow.destination,
      protocol: flow.protocol,
      role: 'client',
      servicePort: flow.servicePort ?? 0,
    };
    if (this.admits(endpoint, flow, 'client')) return 'passed';
    if (this.refusals.some((r) => sameKey(r.key, key) && r.untilBootNs > this.bootNs())) return 'refused';
    if (this.held.some((h) => sameKey(h.key, key))) return 'held';
    const held: HeldFlow = { key, flow, sinceBootNs: this.bootNs() };
    this.held.push(held);
    for (const listener of this.listeners) listener(held);
    return 'held';
  }

  /** Would the gate of an end let the flow through: a row that covers it, and a lease? */
  admits(endpoint: EndpointId, flow: Flow, role: 'client' | 'server'): boolean {
    const [local, remote] = role === 'client' ? [flow.source, flow.destination] : [flow.destination, flow.source];
    const row = [...this.rows.values()].find(
      ({ spec }) => spec.endpoint === endpoint && spec.role === role && spec.local.text === local.text && spec.remote.text === remote.text,
    );
    if (!row || !covers(row.spec.grants, flow.protocol, flow.servicePort ?? 0)) return false;
    const lease = this.leases.get(row.spec.session);
    const until = role === 'client' ? lease?.txUntilBootNs : lease?.rxUntilBootNs;
    return until !== undefined && until > this.bootNs() && row.spec.notAfterBootNs > this.bootNs();
  }

  isHeld(flow: Flow): boolean {
    return this.held.some((h) => h.flow === flow);
  }

  private release(which: (key: PairKey) => boolean): void {
    for (let i = this.held.length - 1; i >= 0; i--) {
      const held = this.held[i];
      if (held && which(held.key)) this.held.splice(i, 1);
    }
  }
}
