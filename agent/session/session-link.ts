import type { SpiffeId } from '#core/spiffe/id';
import type { Credential } from '../proof/contract.ts';
import type { OwnedSession } from './hooks.ts';
import type { Datapath, SessionIndex } from '../datapath/contract.ts';
import { KEEPALIVE_NS, SEND_LEASE_NS, SessionLease } from './session-lease.ts';

/** A session with its row in the gate and its lease. Pairs are bound to it by the row's index. */
export class SessionLink {
  readonly index: SessionIndex;
  readonly lease: SessionLease;
  readonly openedNs: bigint;
  /** False once the connection is gone: its pairs live on for the rest of the lease. */
  open = true;
  private nextKeepaliveNs: bigint;

  constructor(
    readonly session: OwnedSession,
    /** Our SVID that the session was opened with. */
    readonly credential: Credential,
    private readonly datapath: Datapath,
  ) {
    this.openedNs = datapath.bootNs();
    this.lease = new SessionLease(this.openedNs);
    this.index = datapath.openSession();
    this.nextKeepaliveNs = this.openedNs;
    this.write();
  }

  get peer(): SpiffeId {
    return this.session.peer.id;
  }

  /** Sends a keepalive if one is due. */
  keepAlive(): void {
    const now = this.datapath.bootNs();
    if (!this.open || now < this.nextKeepaliveNs) return;
    this.nextKeepaliveNs = now + KEEPALIVE_NS;
    this.session.sendKeepalive(this.lease.nextKeepalive(now), Number(SEND_LEASE_NS / 1_000_000n));
  }

  received(): void {
    this.renew(this.lease.received(this.datapath.bootNs()));
  }

  acknowledged(sequence: bigint): void {
    this.renew(this.lease.acknowledged(sequence, this.datapath.bootNs()));
  }

  /** Ends the lease now: nothing bound to the session passes any more. */
  cut(): void {
    this.datapath.closeSession(this.index);
    this.session.close();
  }

  private renew(alive: boolean): void {
    // A lease that has ended stays ended, whatever the peer believes: the session is of no more use.
    if (alive) this.write();
    else this.session.close();
  }

  private write(): void {
    this.datapath.renewSession(this.index, this.lease.current);
  }
}
