import { SYM_LIMIT, SYM_SESSION } from '#bpf/gen/layout';
import { SymbolonError } from '#core/errors/error';
import type { RowStore } from './rows/row-store.ts';
import type { Lease, SessionIndex } from './contract.ts';
import { u32 } from './rows/keys.ts';
import { decodeRow, encodeRow } from './rows/row.ts';

const NO_LEASE: Lease = { txUntilBootNs: 0n, rxUntilBootNs: 0n };

/** The leases of node sessions, rows of sym_sessions. Row 0 is never used. */
export class SessionTable {
  private readonly leases = new Map<number, Lease>();
  private last = 0;

  /** `used`: the rows that live pairs refer to. Their leases run on. */
  constructor(
    private readonly map: RowStore,
    used: Iterable<number>,
  ) {
    for (const index of used) {
      const row = map.get(u32(index));
      const { tx_until, rx_until } = decodeRow(SYM_SESSION, row ?? Buffer.alloc(SYM_SESSION.size));
      this.leases.set(index, { txUntilBootNs: tx_until, rxUntilBootNs: rx_until });
    }
  }

  private write(index: number, lease: Lease): void {
    this.leases.set(index, lease);
    this.map.set(u32(index), encodeRow(SYM_SESSION, { tx_until: lease.txUntilBootNs, rx_until: lease.rxUntilBootNs }));
  }

  /** A row without lease that neither an open session nor a pair (`isUsed`) refers to. Throws UNAVAILABLE if there is none. */
  open(isUsed: (index: number) => boolean): SessionIndex {
    for (let tried = 1; tried < SYM_LIMIT.MAX_SESSIONS; tried++) {
      this.last = (this.last % (SYM_LIMIT.MAX_SESSIONS - 1)) + 1;
      if (this.leases.has(this.last) || isUsed(this.last)) continue;
      this.write(this.last, NO_LEASE);
      return this.last as SessionIndex;
    }
    throw new SymbolonError('UNAVAILABLE', `all ${SYM_LIMIT.MAX_SESSIONS - 1} rows for node sessions are in use`, { what: 'session row' });
  }

  /** Whether the session had a lease and it has run out. */
  hasLapsed(index: SessionIndex, nowBootNs: bigint): boolean {
    const lease = this.leases.get(index) ?? NO_LEASE;
    return lease.rxUntilBootNs !== 0n && lease.rxUntilBootNs <= nowBootNs;
  }

  /** Whether packets of the session's pairs still pass in some direction. */
  isLive(index: SessionIndex, nowBootNs: bigint): boolean {
    return (this.leases.get(index) ?? NO_LEASE).rxUntilBootNs > nowBootNs;
  }

  renew(index: SessionIndex, lease: Lease): void {
    this.write(index, lease);
  }

  /** Ends the lease; the row is free once no pair refers to it. */
  close(index: SessionIndex): void {
    this.write(index, NO_LEASE);
    this.leases.delete(index);
  }
}
