import { describeError, isSymbolonError, SymbolonError } from '#core/errors/error';
import type { IpAddress } from '#core/network/address';
import type { NodeDirectory } from '#core/registration/directory';
import type { SpiffeId } from '#core/spiffe/id';
import type { X509Svid } from '#core/spiffe/svid';
import { addMs } from '#core/time/instant';
import type { Clock, Timer } from '#daemon/clock';
import type { Logger } from '#daemon/log';
import type { Datapath, EndpointId, HeldFlow, SessionIndex } from '../datapath/contract.ts';
import type { CloseReason, Credential, PairAuthority, PairRefusal, ProvenPair } from '../session/contract.ts';
import { dialNodeSession } from '../session/dial.ts';
import type { OwnedSession, SessionHooks } from '../session/hooks.ts';
import { listenNodeSessions, type SessionListener } from '../session/listen.ts';
import { endsOf, type PairEnds } from './ends.ts';
import { FoundPairs } from './found-pairs.ts';
import { LocalLease } from './local-lease.ts';
import { proveLocally } from './local-proof.ts';
import { livePair, PairBook, type PairMachine } from './pair-book.ts';
import { PeerSessions } from './peer-sessions.ts';
import { RECEIVE_LEASE_NS } from './session-lease.ts';
import { SessionLink } from './session-link.ts';
import { rotationDue } from './session-rotation.ts';
import type { Attempt, LivePair } from './state/pair-state.ts';
import { Tombstones } from './tombstones.ts';

const TICK_MS = 500;
/** Exchanges that one workload may have under way: one that knocks everywhere leaves room for the others. */
const MAX_EXCHANGES_OF_ENDPOINT = 64;
/** Pairs with one peer node: it may fill its own share of the gate, not the gate. */
const MAX_PAIRS_OF_PEER = 32_768;
/** A new session takes the pairs of an older one over within this time. */
const REBIND_MS = 5000;
/** An older session without pairs is closed this long after it was opened, at the earliest. */
const MIN_SESSION_NS = 10_000_000_000n;
const RETRY_RENEWAL_MS = 3000;

export interface PairManagerOptions {
  readonly datapath: Datapath;
  readonly authority: PairAuthority;
  /** This node's SVID and key now. */
  readonly credential: () => Credential;
  readonly directory: () => NodeDirectory;
  /** The managed workload instance that has a local address now. */
  readonly endpointOf: (address: IpAddress) => EndpointId | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** X25519 for every pair. Default false. */
  readonly forwardSecrecy?: boolean;
}

/** A pair or session as `status` shows it. */
export interface PairStatus {
  readonly pairId: string;
  readonly state: 'live' | 'renewing';
  readonly pair: LivePair;
}
export interface SessionStatus {
  readonly peer: SpiffeId;
  readonly side: 'dialled' | 'accepted';
  readonly open: boolean;
  readonly index: SessionIndex;
}

/** Answers the gate's held flows with pairs, and keeps them alive or closes them. */
export interface PairManager {
  /** Accepts sessions of other nodes. Port 0 = any. */
  listen(options: { readonly address?: IpAddress; readonly port: number }): Promise<SessionListener>;
  /** Call whenever policies, placement, bundles, workloads or the node's SVID have changed: judges every live pair anew, at once. */
  viewChanged(): void;
  pairs(): readonly PairStatus[];
  sessions(): readonly SessionStatus[];
  /** Ends the sessions; pairs stay in the gate for the rest of their lease, so that a new agent can take them over. */
  close(): Promise<void>;
}

/** Starts to answer `datapath.onHeld`. Nothing is proven before the authority knows a view. */
export function createPairManager(options: PairManagerOptions): PairManager {
  return new Manager(options);
}

class Manager implements PairManager {
  private readonly book: PairBook;
  private readonly peers = new Map<SpiffeId, PeerSessions>();
  private readonly links = new Map<SessionIndex, SessionLink>();
  private readonly exchanges = new Map<EndpointId, number>();
  /** Closed by a peer, maybe before the install; closed by us, maybe unheard. */
  private readonly closedByPeer = new Tombstones(RECEIVE_LEASE_NS);
  private readonly closedHere = new Tombstones(RECEIVE_LEASE_NS);
  private readonly local: LocalLease;
  private readonly found: FoundPairs;
  private readonly listeners: SessionListener[] = [];
  private timer: Timer;
  private closed = false;

  constructor(private readonly options: PairManagerOptions) {
    const { datapath, authority, clock, log } = options;
    this.local = new LocalLease(datapath);
    this.book = new PairBook({
      datapath,
      authority,
      clock,
      log,
      endpointOf: (ends) => options.endpointOf(ends.local),
      leaseLives: (session) => session === this.local.index || (this.links.get(session)?.lease.lives(datapath.bootNs()) ?? false),
      tombstoned: (pairId) => this.closedByPeer.has(pairId),
      authenticate: (machine, attempt, replaces) => void this.exchange(machine, attempt, replaces),
      tellClosed: (pair, reason) => this.tellClosed(pair, reason),
    });
    this.found = new FoundPairs(
      datapath,
      this.book,
      (ends) => options.endpointOf(ends.local),
      (address) => this.isLocal(address),
    );
    datapath.onHeld((held) => this.held(held));
    this.timer = clock.after(TICK_MS, () => this.tick());
  }

  async listen(where: { readonly address?: IpAddress; readonly port: number }): Promise<SessionListener> {
    const { credential, authority, clock, log, forwardSecrecy = false } = this.options;
    const listener = await listenNodeSessions({
      ...where,
      credential,
      pairs: authority,
      clock,
      log,
      forwardSecrecy,
      accept: (peer) => this.acceptPeer(peer),
      mayConnect: (address) => this.isAgentAddress(address),
      hooks: (session) => this.adopt(session),
    });
    this.listeners.push(listener);
    return listener;
  }

  viewChanged(): void {
    for (const machine of this.book.all) {
      if (this.options.endpointOf(machine.ends.local) !== machine.ends.endpoint) this.book.dispatch(machine, { kind: 'endpoint-gone' });
    }
    this.book.dispatchAll({ kind: 'view-changed' });
    // After the pairs: what they have to tell the peer goes out before the session ends.
    for (const link of this.links.values()) if (!this.stillAccepted(link)) this.cut(link);
    this.found.resume();
  }

  pairs(): readonly PairStatus[] {
    return this.book.all.flatMap(({ state }) =>
      state.kind === 'live' || state.kind === 'renewing' ? [{ pairId: state.pair.proven.pairId, state: state.kind, pair: state.pair }] : [],
    );
  }

  sessions(): readonly SessionStatus[] {
    return [...this.links.values()].map((link) => ({ peer: link.peer, side: link.session.side, open: link.open, index: link.index }));
  }

  async close(): Promise<void> {
    this.closed = true;
    this.timer.cancel();
    for (const peer of this.peers.values()) peer.close();
    await Promise.all(this.listeners.map((listener) => listener.close()));
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
    this.exchanges.set(endpoint, (this.exchanges.get(endpoint) ?? 0) + 1);
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
      const left = (this.exchanges.get(endpoint) ?? 1) - 1;
      if (left > 0) this.exchanges.set(endpoint, left);
      else this.exchanges.delete(endpoint);
    }
  }

  private async exchangeWith(peer: SpiffeId, machine: PairMachine, attempt: Attempt, replaces?: string): Promise<void> {
    const link = await this.peer(peer).acquire(() => this.options.datapath.bootNs());
    if (!link) return this.refused(machine, attempt, 'peer-unreachable', `no session with ${peer}`);
    const outcome = await link.session.authenticate(attempt.flow, replaces);
    if (outcome.verdict === 'refused') return this.refused(machine, attempt, outcome.reason, outcome.detail);
    if (!link.open) return this.refused(machine, attempt, 'session-lost', 'the session ended during the exchange');
    this.proven(machine, attempt.id, outcome, link.index, peer);
  }

  private exchangeHere(machine: PairMachine, attempt: Attempt): void {
    const { authority, clock, endpointOf } = this.options;
    try {
      const { client, server } = proveLocally(authority, this.nodeId, attempt.flow, clock.now());
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
    const { pairId, role, peer, local } = proven;
    this.options.log.info({ pair: pairId, role, local: local.id, peer: peer.id, peerNode }, 'pair proven');
  }

  private refused(machine: PairMachine, attempt: Attempt, reason: PairRefusal | 'peer-unreachable', detail: string): void {
    const { log, clock } = this.options;
    log.info({ from: attempt.flow.source.text, to: attempt.flow.destination.text, reason, detail }, 'pair refused');
    machine.renewAt = addMs(clock.now(), RETRY_RENEWAL_MS * (1 + Math.random()));
    this.book.dispatch(machine, { kind: 'refused', attempt: attempt.id, reason, next: this.book.newAttempt() });
  }

  // ---- sessions

  private get nodeId(): SpiffeId {
    return this.options.credential().svid.id;
  }

  private isLocal(address: IpAddress): boolean {
    return this.options.directory().nodeOf(address)?.nodeId === this.nodeId;
  }

  private isAgentAddress(address: IpAddress): boolean {
    for (const node of this.options.directory().nodes.values()) {
      if (node.endpoints.some((endpoint) => endpoint.address.text === address.text)) return true;
    }
    return false;
  }

  private acceptPeer(peer: X509Svid): void {
    if (this.options.directory().nodes.has(peer.id) && peer.id !== this.nodeId) return;
    throw new SymbolonError('SESSION_REFUSED', `${peer.id} is no other node of the node directory`, { rule: 'not-in-directory' });
  }

  private stillAccepted(link: SessionLink): boolean {
    try {
      this.acceptPeer(this.options.authority.verifySvid(link.session.peer.chain));
      return true;
    } catch (error) {
      this.options.log.warn({ peer: link.peer, problem: describeError(error) }, 'node session is no longer allowed');
      return false;
    }
  }

  private peer(id: SpiffeId): PeerSessions {
    let peer = this.peers.get(id);
    if (!peer) {
      const { clock, log, authority, forwardSecrecy = false } = this.options;
      peer = new PeerSessions(id, {
        node: () => this.options.directory().nodes.get(id),
        needed: () => this.boundPairs(id).some(({ proven }) => proven.role === 'client'),
        dial: (endpoint, expect) =>
          dialNodeSession({
            endpoint,
            expect,
            credential: this.options.credential(),
            accept: (svid) => this.acceptPeer(svid),
            authority,
            clock,
            log,
            forwardSecrecy,
            hooks: (session) => this.adopt(session),
          }),
        clock,
        log,
      });
      this.peers.set(id, peer);
    }
    return peer;
  }

  private boundPairs(peer: SpiffeId): readonly LivePair[] {
    return this.book.all.flatMap((machine) => livePair(machine) ?? []).filter((pair) => pair.peerNode === peer);
  }

  /** Takes a session that has just been verified into use. */
  private adopt(session: OwnedSession): SessionHooks {
    const { datapath, credential, clock, log } = this.options;
    const link = new SessionLink(session, credential(), datapath);
    const peer = this.peer(link.peer);
    this.links.set(link.index, link);
    log.info({ peer: link.peer, side: session.side, session: link.index }, 'node session open');
    // Once the session object is complete.
    queueMicrotask(() => {
      peer.add(link);
      const ids = this.boundPairs(link.peer).map((pair) => pair.proven.pairId);
      if (ids.length > 0) session.sendInventory(ids);
      link.keepAlive();
    });
    for (const machine of this.book.all) {
      const pair = livePair(machine);
      if (pair?.peerNode !== link.peer || pair.proven.role !== 'client') continue;
      machine.renewAt = addMs(clock.now(), Math.random() * REBIND_MS);
    }
    void session.closed.then(() => {
      link.open = false;
      log.info({ peer: link.peer, session: link.index }, 'node session closed');
      if (!this.closed && this.boundPairs(link.peer).some((pair) => pair.proven.role === 'client')) peer.connect(() => datapath.bootNs());
    });
    return {
      admit: (pair) => this.admit(link, pair),
      pairClosed: (pairId, reason) => this.pairClosed(link, pairId, reason),
      inventory: (pairIds) => this.compare(link, pairIds),
      keepalive: () => link.received(),
      keepaliveAck: (sequence) => link.acknowledged(sequence),
    };
  }

  private admit(link: SessionLink, proven: ProvenPair): void {
    const endpoint = this.options.endpointOf(proven.flow.destination);
    if (endpoint === undefined) throw new SymbolonError('PAIR_REFUSED', 'the workload is gone', { reason: 'no-such-workload' });
    if (!link.open) throw new SymbolonError('PAIR_REFUSED', 'the session has ended', { reason: 'session-lost' });
    const ends: PairEnds = endsOf(proven.flow, 'server', endpoint);
    if (link.pairsAdmitted >= MAX_PAIRS_OF_PEER)
      throw new SymbolonError('PAIR_REFUSED', 'too many pairs of this node', { reason: 'overloaded' });
    link.pairsAdmitted++;
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
    const own = this.links.get(pair.session);
    const link = own?.open ? own : this.peers.get(pair.peerNode)?.newest(nowNs);
    if (link) void link.session.closePair(pairId, reason);
  }

  private cut(link: SessionLink): void {
    link.cut();
    this.forgetLink(link);
  }

  private forgetLink(link: SessionLink): void {
    this.book.dispatchAll({ kind: 'lapsed', session: link.index });
    this.links.delete(link.index);
    this.peers.get(link.peer)?.remove(link);
  }

  // ---- time

  private tick(): void {
    if (this.closed) return;
    try {
      this.tickSessions();
      this.tickPairs();
    } catch (error) {
      this.options.log.error({ error }, 'the pair manager failed in a tick');
    }
    this.timer = this.options.clock.after(TICK_MS, () => this.tick());
  }

  private tickSessions(): void {
    const { datapath, clock, credential } = this.options;
    const now = datapath.bootNs();
    this.closedByPeer.sweep(now);
    this.closedHere.sweep(now);
    this.local.renew();
    this.found.sweep();
    const used = new Set<SessionIndex>();
    for (const machine of this.book.all) {
      const pair = livePair(machine);
      if (pair) used.add(pair.session);
    }
    for (const link of this.links.values()) {
      if (link.lease.isOver(now)) {
        this.cut(link);
        continue;
      }
      if (!link.lease.lives(now) && link.open) link.session.close();
      link.keepAlive();
      const peer = this.peer(link.peer);
      const newest = peer.newest(now) === link;
      const idle = !used.has(link.index) && link.session.busy === 0;
      if (!link.open && idle) this.cut(link);
      else if (newest && rotationDue(link, credential(), clock.now(), now)) peer.rotate();
      else if (!newest && link.open && idle && link.session.side === 'dialled' && now - link.openedNs > MIN_SESSION_NS)
        link.session.close();
    }
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
