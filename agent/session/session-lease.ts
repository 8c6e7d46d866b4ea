import type { Lease } from '../datapath/contract.ts';

const SECOND_NS = 1_000_000_000n;
/** How long a node may go on sending without a sign of life from its peer. */
export const SEND_LEASE_NS = 30n * SECOND_NS;
/** Receiving outlives sending: what the peer sent in its last moment arrives. */
export const RECEIVE_LEASE_NS = SEND_LEASE_NS + 2n * SECOND_NS;
export const KEEPALIVE_NS = 10n * SECOND_NS;
/** Keepalives whose answer may still come. */
const MAX_UNANSWERED = 8;

/**
 * The lease of one session's pairs, CLOCK_BOOTTIME. Sending is prolonged only by the answer to a keepalive, counted from when that was sent:
 * a message that lay in a buffer proves nothing about now. A lease that has ended is never prolonged.
 */
export class SessionLease {
  private txUntil: bigint;
  private rxUntil: bigint;
  private nextSequence = 1n;
  private readonly sent = new Map<bigint, bigint>();

  constructor(nowNs: bigint) {
    this.txUntil = nowNs + SEND_LEASE_NS;
    this.rxUntil = nowNs + RECEIVE_LEASE_NS;
  }

  get current(): Lease {
    return { txUntilBootNs: this.txUntil, rxUntilBootNs: this.rxUntil };
  }

  /** May this end still send? */
  lives(nowNs: bigint): boolean {
    return nowNs < this.txUntil;
  }

  /** Nothing may be sent or received any more. */
  isOver(nowNs: bigint): boolean {
    return nowNs >= this.rxUntil;
  }

  /** The sequence number of a keepalive that leaves now. */
  nextKeepalive(nowNs: bigint): bigint {
    const sequence = this.nextSequence++;
    this.sent.set(sequence, nowNs);
    for (const old of this.sent.keys()) {
      if (this.sent.size <= MAX_UNANSWERED) break;
      this.sent.delete(old);
    }
    return sequence;
  }

  /** The peer asks for a sign of life: it will go on sending for a lease from before now. False if this lease has ended. */
  received(nowNs: bigint): boolean {
    if (!this.lives(nowNs)) return false;
    this.rxUntil = nowNs + RECEIVE_LEASE_NS;
    return true;
  }

  /** The peer has answered a keepalive. False if this lease has ended. */
  acknowledged(sequence: bigint, nowNs: bigint): boolean {
    if (!this.lives(nowNs)) return false;
    const sentNs = this.sent.get(sequence);
    this.sent.delete(sequence);
    if (sentNs === undefined) return true;
    if (sentNs + SEND_LEASE_NS > this.txUntil) this.txUntil = sentNs + SEND_LEASE_NS;
    if (this.txUntil + 2n * SECOND_NS > this.rxUntil) this.rxUntil = this.txUntil + 2n * SECOND_NS;
    return true;
  }
}
