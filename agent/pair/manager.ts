import { describeError, isSymbolonError, SymbolonError } from '#core/errors/error';
import type { IpAddress } from '#core/network/address';
import type { SpiffeId } from '#core/spiffe/id';
import { addMs } from '#core/time/instant';
import type { Timer } from '#daemon/clock';
import type { Datapath, EndpointId, HeldFlow, PairSpec, SessionIndex } from '../datapath/contract.ts';
import type { PairRefusal, ProvenPair } from '../proof/contract.ts';
import type { CloseReason, SessionStatus } from '../session/contract.ts';
import type { SessionHooks } from '../session/hooks.ts';
import type { ListenWhere, SessionListener } from '../session/listen.ts';
import { claimedAddress, endsOf, type PairEnds } from './ends.ts';
import { FoundPairs } from './found-pairs.ts';
import { LocalLease } from './local-lease.ts';
import { proveLocally } from './local-proof.ts';
import { endsOfPair, livePair, PairBook, type PairMachine } from './pair-book.ts';
import { RECEIVE_LEASE_NS } from '../session/session-lease.ts';
import type { SessionLink } from '../session/session-link.ts';
import { SessionPool, type SessionPoolOptions } from '../session/session-pool.ts';
import type { Attempt, LivePair } from './state/pair-state.ts';
import { reachOf } from './state/step-refused.ts';
import { Tombstones } from './tombstones.ts';
import { UnheardCloses } from './unheard-closes.ts';

const TICK_MS = 500;
/** A keepalive that left before a close may arrive after it was written down. */
const UNHEARD_MARGIN_NS = 1_000_000_000n;
/** Exchanges that one workload may have under way: one that knocks everywhere leaves room for the others. */
const MAX_EXCHANGES_OF_ENDPOINT = 64;
/** Pairs with one peer node: it may fill its own share of the gate, not the gate. */
const MAX_PAIRS_OF_PEER = 32_768;
/** A new session takes the pairs of an older one over within this time. */
const REBIND_MS = 5000;
const RETRY_RENEWAL_MS = 3000;

export interface PairManagerOptions extends SessionPoolOptions {
  /** Held flows of workloads that are attested. */
  readonly onHeld: Datapath['onHeld'];
  /** The managed workload instance that has a local address now. */
  readonly endpointOf: (address: IpAddress) => EndpointId | undefined;
  /** False where the view and the workloads leave no room for a pair that was found in the gate, whoever its peer is. */
  readonly mayStand: (found: PairSpec) => boolean;
  /** Called when an address may have left `claimedAddresses`. */
  readonly onUnclaimed?: () => void;
}

/** A pair as `status` shows it. */
export interface PairStatus {
  readonly pairId: string;
  readonly state: 'live' | 'renewing';
  readonly pair: LivePair;
}

/** Answers the gate's held flows with pairs, and keeps them alive or closes them. */
export interface PairManager {
  /** Accepts sessions of other nodes. Port 0 = any. */
  listen(where: ListenWhere): Promise<SessionListener>;
  /** Call whenever policies, placement, bundles, workloads or the node's SVID have changed: judges every live pair anew, at once. */
  viewChanged(): void;
  pairs(): readonly PairStatus[];
  sessions(): readonly SessionStatus[];
  /**
   * Texts of the local addresses that another node may still take for a workload's: those of live pairs, and of closed ones until that node has
   * acknowledged or its lease is over. Nobody without a pair of its own may use them meanwhile.
   */
  claimedAddresses(): ReadonlySet<string>;
  /** The claims (claimOf) of closed pairs on them, each until a time (CLOCK_BOOTTIME): the gate has no rows that would tell the next agent. */
  closedClaims(): ReadonlyMap<string, bigint>;
  /** Ends the sessions; pairs stay in the gate for the rest of their lease, so that a new agent can take them over. */
  close(): Promise<void>;
}

/** Starts to answer held flows. Nothing is proven before the judge knows a view. */
export function createPairManager(options: PairManagerOptions): PairManager {
  return new Manager(options);
}

class Manager implements PairManager {
  private readonly book: PairBook;
  private readonly pool: SessionPool;
  private readonly exchanges = new Map<EndpointId, number>();
  /** Closed by a peer, maybe before the install; closed by us, maybe unheard. */
  private readonly closedByPeer = new Tombstones(RECEIVE_LEASE_NS);
  private readonly closedHere = new Tombstones(RECEIVE_LEASE_NS);
  private readonly unheard = new UnheardCloses(RECEIVE_LEASE_NS + UNHEARD_MARGIN_NS);
  private readonly local: LocalLease;
  private readonly found: FoundPairs;
  private timer: Timer;
  private closed = false;

  constructor(private readonly options: PairManagerOptions) {
    const { datapath, judge, clock, log } = options;
    this.local = new LocalLease(datapath);
    this.pool = new SessionPool(options, {
      hooks: (link) => this.adopt(link),
      pairIds: (peer) => this.pairsWith(peer).map((pair) => pair.proven.pairId),
      needs: (peer) => this.pairsWith(peer).some((pair) => pair.proven.role === 'client'),
      usedSessions: () => new Set(this.book.all.flatMap((machine) => livePair(machine)?.session ?? [])),
      lapsed: (session) => this.lapsed(session),
    });
    this.book = new PairBook({
      datapath,
      judge,
      clock,
      log,
      endpointOf: (ends) => options.endpointOf(ends.local),
      leaseLives: (session) => session === this.local.index || this.pool.leaseLives(session),
      tombstoned: (pairId) => this.closedByPeer.has(pairId),
      authenticate: (machine, attempt, replaces) => void this.exchange(machine, attempt, replaces),
      tellClosed: (pair, reason) => this.tellClosed(pair, reason),
    });
    this.found = new FoundPairs(
      datapath,
      this.book,
      (ends) => options.endpointOf(ends.local),
      (address) => this.whereIs(address),
      options.mayStand,
    );
    options.onHeld((held) => this.held(held));
    this.timer = clock.after(TICK_MS, () => this.tick());
  }

  listen(where: ListenWhere): Promise<SessionListener> {
    return this.pool.listen(where);
  }

  viewChanged(): void {
    for (const machine of this.book.all) {
      if (this.options.endpointOf(machine.ends.local) !== machine.ends.endpoint) this.book.dispatch(machine, { kind: 'endpoint-gone' });
    }
    this.book.dispatchAll({ kind: 'view-changed' });
    // After the pairs: what they have to tell the peer goes out before the session ends.
    this.pool.judgeAgain();
    this.found.viewChanged();
  }

  pairs(): readonly PairStatus[] {
    return this.book.all.flatMap(({ state }) =>
      state.kind === 'live' || state.kind === 'renewing' ? [{ pairId: state.pair.proven.pairId, state: state.kind, pair: state.pair }] : [],
    );
  }

  claimedAddresses(): ReadonlySet<string> {
    const live = this.book.all.flatMap((machine) => {
      const pair = livePair(machine);
      return pair && pair.peerNode !== this.nodeId ? [machine.ends.local.text] : [];
    });
    return new Set([...live, ...[...this.unheard.claims().keys()].map(claimedAddress)]);
  }

  closedClaims(): ReadonlyMap<string, bigint> {
    return this.unheard.claims();
  }

  sessions(): readonly SessionStatus[] {
    return this.pool.statuses();
  }

  async close(): Promise<void> {
    this.closed = true;
    this.timer.cancel();
    await this.pool.close();
  }

  // ---- first contact

  private held({ key, flow }: HeldFlow): void {
    const { datapath, directory, endpointOf } = this.options;
    // Not attested yet, or no longer there: whoever attests it has it tried again.
    if (this.closed || key.role !== 'client' || endpointOf(flow.source) !== key.endpoint) return;
    if (!directory().nodeOf(flow.destination)) return datapath.refuse(key, 'not-in-directory', datapath.bootNs() + 3_000_000_000n);
    if ((this.exchanges.get(key.endpoint) ?? 0) >= MAX_EXCHANGES_OF_ENDPOINT) return datapath.forget(key);
    this.book.dispatch(this.book.at(endsOf(flow, 'client', key.endpoint)), { kind: 'wanted', flow, attempt: this.book.newAttempt() });
  }

  private async exchange(machine: PairMachine, attempt: Attempt, replaces?: string): Promise<void> {
    const { endpoint } = machine.ends;
    // Those of pairs that were found take no room from first packets: they are as many as the workload had, and all begin at once.
    const counted = this.found.has(machine.ends) ? 0 : 1;
    this.exchanges.set(endpoint, (this.exchanges.get(endpoint) ?? 0) + counted);
    try {
      // Not in the turn of the step that asked for it: its state must stand first.
      await Promise.resolve();
      const node = this.options.directory().nodeOf(attempt.flow.destination);
      if (!node) this.refused(machine, attempt, 'no-such-workload', `${attempt.flow.destination.text} is in no directory`);
      else if (node.nodeId === this.nodeId) this.exchangeHere(machine, attempt);
      else await this.exchangeWith(node.nodeId, machine, attempt, replaces);
    } catch (error) {
      this.refused(machine, attempt, 'internal', describeError(error));
    } finally {
      const left = (this.exchanges.get(endpoint) ?? counted) - counted;
      if (left > 0) this.exchanges.set(endpoint, left);
      else this.exchanges.delete(endpoint);
    }
  }

  private async exchangeWith(peer: SpiffeId, machine: PairMachine, attempt: Attempt, replaces?: string): Promise<void> {
    const link = await this.pool.acquire(peer);
    if (!link) return this.refused(machine, attempt, 'peer-unreachable', `no session with ${peer}`);
    const outcome = await link.session.authenticate(attempt.flow, replaces);
    if (outcome.verdict === 'refused') return this.refused(machine, attempt, outcome.reason, outcome.detail);
    if (!link.open) return this.refused(machine, attempt, 'session-lost', 'the session ended during the exchange');
    this.proven(machine, attempt.id, outcome, link.index, peer);
  }

  private exchangeHere(machine: PairMachine, attempt: Attempt): void {
    const { judge, clock, endpointOf } = this.options;
    try {
      const { client, server } = proveLocally(judge, this.nodeId, attempt.flow, clock.now());
      const endpoint = endpointOf(attempt.flow.destination);
      if (endpoint === undefined) return this.refused(machine, attempt, 'no-such-workload', 'the workload is gone');
      this.proven(this.book.at(endsOf(attempt.flow, 'server', endpoint)), undefined, server, this.local.index, this.nodeId);
      this.proven(machine, attempt.id, client, this.local.index, this.nodeId);
    } catch (error) {
      if (!isSymbolonError(error, 'PAIR_REFUSED')) throw error;
      this.refused(machine, attempt, error.context.reason as PairRefusal, describeError(error));
    }
  }

  private proven(machine: PairMachine, attempt: number | undefined, proven: ProvenPair, session: SessionIndex, peerNode: SpiffeId): void {
    const { endpoint } = machine.ends;
    const pair: LivePair = { proven, number: this.book.newNumber(), endpoint, session, peerNode, grants: proven.grants };
    const next = this.book.newAttempt();
    this.book.dispatch(machine, { kind: 'proven', pair, next, ...(attempt !== undefined && { attempt }) });
    if (livePair(machine)) this.found.proven(machine.ends);
    const { pairId, role, peer, local } = proven;
    this.options.log.info({ pair: pairId, role, local: local.id, peer: peer.id, peerNode }, 'pair proven');
  }

  private refused(machine: PairMachine, attempt: Attempt, reason: PairRefusal | 'peer-unreachable', detail: string): void {
    const { log, clock } = this.options;
    const level = this.found.isTriedAgain(machine.ends) ? 'debug' : 'info';
    log[level]({ from: attempt.flow.source.text, to: attempt.flow.destination.text, reason, detail }, 'pair refused');
    machine.renewAt = addMs(clock.now(), RETRY_RENEWAL_MS * (1 + Math.random()));
    this.book.dispatch(machine, { kind: 'refused', attempt: attempt.id, reason, next: this.book.newAttempt() });
    this.found.refused(machine.ends, attempt.flow, reachOf(reason));
  }

  // ---- sessions

  private get nodeId(): SpiffeId {
    return this.options.credential().svid.id;
  }

  private whereIs(address: IpAddress): 'here' | 'elsewhere' | undefined {
    const node = this.options.directory().nodeOf(address);
    return node && (node.nodeId === this.nodeId ? 'here' : 'elsewhere');
  }

  private pairsWith(peer: SpiffeId): readonly LivePair[] {
    return this.book.all.flatMap((machine) => livePair(machine) ?? []).filter((pair) => pair.peerNode === peer);
  }

  /** A session has opened: the pairs of older ones with this peer move to it, not all at once. */
  private adopt(link: SessionLink): Pick<SessionHooks, 'admit' | 'pairClosed' | 'inventory'> {
    for (const machine of this.book.all) {
      const pair = livePair(machine);
      if (pair?.peerNode !== link.peer || pair.proven.role !== 'client') continue;
      machine.renewAt = addMs(this.options.clock.now(), Math.random() * REBIND_MS);
    }
    return {
      admit: (pair) => this.admit(link, pair),
      pairClosed: (pairId, reason) => this.pairClosed(link, pairId, reason),
      inventory: (pairIds) => this.compare(link, pairIds),
    };
  }

  private admit(link: SessionLink, proven: ProvenPair): void {
    const endpoint = this.options.endpointOf(proven.flow.destination);
    if (endpoint === undefined) throw new SymbolonError('PAIR_REFUSED', 'the workload is gone', { reason: 'no-such-workload' });
    if (!link.open) throw new SymbolonError('PAIR_REFUSED', 'the session has ended', { reason: 'session-lost' });
    const ends: PairEnds = endsOf(proven.flow, 'server', endpoint);
    if (this.book.livePairsOf(link.peer) >= MAX_PAIRS_OF_PEER) {
      throw new SymbolonError('PAIR_REFUSED', `${link.peer} has ${MAX_PAIRS_OF_PEER} pairs already`, { reason: 'overloaded' });
    }
    this.proven(this.book.at(ends), undefined, proven, link.index, link.peer);
  }

  private pairClosed(link: SessionLink, pairId: string, reason: CloseReason): void {
    const machines = this.book.withPair(pairId, link.peer);
    // Unknown: the exchange that makes it may be ending right now, and its install must not come after this.
    if (machines.length === 0 && reason !== 'unknown-pair') this.closedByPeer.add(pairId, this.options.datapath.bootNs());
    for (const machine of machines) this.book.dispatch(machine, { kind: 'peer-closed', pairId, reason, attempt: this.book.newAttempt() });
  }

  private compare(link: SessionLink, pairIds: readonly string[]): void {
    for (const pairId of pairIds) {
      if (this.book.withPair(pairId, link.peer).length > 0) continue;
      void link.session.closePair(pairId, this.closedHere.has(pairId) ? 'policy-changed' : 'unknown-pair');
    }
  }

  private tellClosed(pair: LivePair, reason: CloseReason): void {
    const { pairId } = pair.proven;
    const nowNs = this.options.datapath.bootNs();
    if (pair.peerNode === this.nodeId) {
      for (const machine of this.book.withPair(pairId, this.nodeId)) {
        this.book.dispatch(machine, { kind: 'peer-closed', pairId, reason, attempt: this.book.newAttempt() });
      }
      return;
    }
    this.closedHere.add(pairId, nowNs);
    this.unheard.add(pairId, endsOfPair(pair), nowNs);
    const link = this.pool.toSpeak(pair.session, pair.peerNode);
    void link?.session.closePair(pairId, reason).then((acknowledged) => {
      if (acknowledged && this.unheard.heard(pairId)) this.options.onUnclaimed?.();
    });
  }

  /** The lease that this end sends under is over; the other end may have heard a keepalive whose answer was lost. */
  private lapsed(session: SessionIndex): void {
    for (const machine of this.book.all) {
      const pair = livePair(machine);
      if (pair?.session === session) this.unheard.add(pair.proven.pairId, machine.ends, this.options.datapath.bootNs());
    }
    this.book.dispatchAll({ kind: 'lapsed', session });
  }

  // ---- time

  private tick(): void {
    if (this.closed) return;
    try {
      const now = this.options.datapath.bootNs();
      this.closedByPeer.sweep(now);
      this.closedHere.sweep(now);
      if (this.unheard.sweep(now)) this.options.onUnclaimed?.();
      this.local.renew();
      this.found.sweep();
      this.found.resume();
      this.pool.tick();
      this.tickPairs();
    } catch (error) {
      this.options.log.error({ error }, 'the pair manager failed in a tick');
    }
    this.timer = this.options.clock.after(TICK_MS, () => this.tick());
  }

  private tickPairs(): void {
    const at = this.options.clock.now();
    for (const machine of this.book.all) {
      const pair = livePair(machine);
      if (!pair) continue;
      if (pair.proven.expiresAt <= at) this.book.dispatch(machine, { kind: 'expired' });
      else if (machine.renewAt <= at && machine.state.kind === 'live') {
        machine.renewAt = addMs(at, 2 * RETRY_RENEWAL_MS);
        this.book.dispatch(machine, { kind: 'renew', attempt: this.book.newAttempt() });
      }
    }
  }
}
