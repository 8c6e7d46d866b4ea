import { describeError, SymbolonError } from '#core/errors/error';
import type { IpAddress } from '#core/network/address';
import type { NodeDirectory } from '#core/registration/directory';
import type { SpiffeId } from '#core/spiffe/id';
import type { X509Svid } from '#core/spiffe/svid';
import type { Datapath, SessionIndex } from '../datapath/contract.ts';
import type { Credential, PairJudge } from '../proof/contract.ts';
import type { SessionStatus } from './contract.ts';
import type { Clock } from '#daemon/clock';
import type { Logger } from '#daemon/log';
import { dialNodeSession } from './dial.ts';
import type { OwnedSession, SessionHooks } from './hooks.ts';
import { listenNodeSessions, type ListenWhere, type SessionListener } from './listen.ts';
import { PeerSessions } from './peer-sessions.ts';
import { SessionLink } from './session-link.ts';
import { rotationDue } from './session-rotation.ts';

/** An older session without pairs is closed this long after it was opened, at the earliest. */
const MIN_SESSION_NS = 10_000_000_000n;

export interface SessionPoolOptions {
  readonly datapath: Datapath;
  readonly judge: PairJudge;
  /** This node's SVID and key now. */
  readonly credential: () => Credential;
  readonly directory: () => NodeDirectory;
  readonly clock: Clock;
  readonly log: Logger;
  /** X25519 for every pair. Default false. */
  readonly forwardSecrecy?: boolean;
}

/** Whose pairs hang on the sessions. */
export interface SessionOwner {
  /** What the owner wants to hear of a session that has just been opened. */
  hooks(link: SessionLink): Pick<SessionHooks, 'admit' | 'pairClosed' | 'inventory'>;
  /** Ids of the live pairs with a peer. */
  pairIds(peer: SpiffeId): readonly string[];
  /** Are there pairs that this end must prove anew to the peer? */
  needs(peer: SpiffeId): boolean;
  /** Sessions that live pairs are bound to. */
  usedSessions(): ReadonlySet<SessionIndex>;
  /** The session's lease has ended. */
  lapsed(session: SessionIndex): void;
}

/** The sessions with every other node: dialled on demand, rotated, and each with its row and lease in the gate. */
export class SessionPool {
  private readonly peers = new Map<SpiffeId, PeerSessions>();
  private readonly links = new Map<SessionIndex, SessionLink>();
  private readonly listeners: SessionListener[] = [];
  private closed = false;

  constructor(
    private readonly options: SessionPoolOptions,
    private readonly owner: SessionOwner,
  ) {}

  async listen(where: ListenWhere): Promise<SessionListener> {
    const { credential, judge, clock, log, forwardSecrecy = false } = this.options;
    const listener = await listenNodeSessions({
      ...where,
      credential,
      judge,
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

  statuses(): readonly SessionStatus[] {
    return [...this.links.values()].map((link) => ({ peer: link.peer, side: link.session.side, open: link.open, index: link.index }));
  }

  leaseLives(session: SessionIndex): boolean {
    return this.links.get(session)?.lease.lives(this.nowNs()) ?? false;
  }

  /** A session to start an exchange on, dialled if need be; undefined if there is none after 3 s. */
  acquire(peer: SpiffeId): Promise<SessionLink | undefined> {
    return this.peer(peer).acquire(() => this.nowNs());
  }

  /** An open session to say something about a pair: its own, else the newest. */
  toSpeak(session: SessionIndex, peer: SpiffeId): SessionLink | undefined {
    const own = this.links.get(session);
    return own?.open ? own : this.peers.get(peer)?.newest(this.nowNs());
  }

  /** Cuts the sessions whose peer the directory or the bundles no longer vouch for. */
  judgeAgain(): void {
    for (const link of this.links.values()) if (!this.stillAccepted(link)) this.cut(link);
  }

  /** Keepalives, the ends of leases, rotation. */
  tick(): void {
    const now = this.nowNs();
    const used = this.owner.usedSessions();
    for (const link of this.links.values()) this.tickLink(link, used.has(link.index), now);
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const peer of this.peers.values()) peer.close();
    await Promise.all(this.listeners.map((listener) => listener.close()));
  }

  private tickLink(link: SessionLink, used: boolean, now: bigint): void {
    const { credential, clock } = this.options;
    const idle = !used && link.session.busy === 0;
    if (link.lease.isOver(now) || (!link.open && idle)) return this.cut(link);
    if (!link.lease.lives(now) && link.open) link.session.close();
    link.keepAlive();
    const peer = this.peer(link.peer);
    if (peer.newest(now) === link) {
      if (rotationDue(link, credential(), clock.now(), now)) peer.rotate();
    } else if (link.open && idle && link.session.side === 'dialled' && now - link.openedNs > MIN_SESSION_NS) {
      link.session.close();
    }
  }

  private nowNs(): bigint {
    return this.options.datapath.bootNs();
  }

  private isAgentAddress(address: IpAddress): boolean {
    for (const node of this.options.directory().nodes.values()) {
      if (node.endpoints.some((endpoint) => endpoint.address.text === address.text)) return true;
    }
    return false;
  }

  private acceptPeer(peer: X509Svid): void {
    if (this.options.directory().nodes.has(peer.id) && peer.id !== this.options.credential().svid.id) return;
    throw new SymbolonError('SESSION_REFUSED', `${peer.id} is no other node of the node directory`, { rule: 'not-in-directory' });
  }

  private stillAccepted(link: SessionLink): boolean {
    try {
      this.acceptPeer(this.options.judge.verifySvid(link.session.peer.chain));
      return true;
    } catch (error) {
      this.options.log.warn({ peer: link.peer, problem: describeError(error) }, 'node session is no longer allowed');
      return false;
    }
  }

  private peer(id: SpiffeId): PeerSessions {
    let peer = this.peers.get(id);
    if (!peer) {
      const { clock, log, judge, forwardSecrecy = false } = this.options;
      peer = new PeerSessions(id, {
        node: () => this.options.directory().nodes.get(id),
        needed: () => this.owner.needs(id),
        dial: (endpoint, expect) =>
          dialNodeSession({
            endpoint,
            expect,
            credential: this.options.credential(),
            accept: (svid) => this.acceptPeer(svid),
            judge,
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

  /** Takes a session that has just been verified into use. */
  private adopt(session: OwnedSession): SessionHooks {
    const { datapath, credential, log } = this.options;
    const link = new SessionLink(session, credential(), datapath);
    const peer = this.peer(link.peer);
    this.links.set(link.index, link);
    log.info({ peer: link.peer, side: session.side, session: link.index }, 'node session open');
    // Once the session object is complete.
    queueMicrotask(() => {
      peer.add(link);
      const ids = this.owner.pairIds(link.peer);
      if (ids.length > 0) session.sendInventory(ids);
      link.keepAlive();
    });
    void session.closed.then(() => {
      link.open = false;
      log.info({ peer: link.peer, session: link.index }, 'node session closed');
      if (!this.closed && this.owner.needs(link.peer)) peer.connect(() => this.nowNs());
    });
    return {
      ...this.owner.hooks(link),
      keepalive: () => link.received(),
      keepaliveAck: (sequence) => link.acknowledged(sequence),
    };
  }

  private cut(link: SessionLink): void {
    link.cut();
    this.owner.lapsed(link.index);
    this.links.delete(link.index);
    this.peers.get(link.peer)?.remove(link);
  }
}
