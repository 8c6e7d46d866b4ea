import { claimOf, type PairEnds } from './ends.ts';

/** More than these are of a node that loses its peers all the time: the oldest are forgotten, since their leases end first. */
const MAX_UNHEARD = 65_536;

/**
 * Pairs that were closed here while the other node may still believe in them: it has not acknowledged, and its lease may run. Until then the local
 * address stands there for the workload that it was, so nobody else may have the use of it.
 */
export class UnheardCloses {
  private readonly byPairId = new Map<string, { readonly claim: string; readonly untilNs: bigint }>();

  constructor(private readonly keepNs: bigint) {}

  add(pairId: string, ends: Pick<PairEnds, 'role' | 'local' | 'remote'>, nowNs: bigint): void {
    this.byPairId.delete(pairId);
    this.byPairId.set(pairId, { claim: claimOf(ends), untilNs: nowNs + this.keepNs });
    if (this.byPairId.size <= MAX_UNHEARD) return;
    for (const oldest of this.byPairId.keys()) {
      this.byPairId.delete(oldest);
      return;
    }
  }

  /** The other node has acknowledged. Returns whether that was news. */
  heard(pairId: string): boolean {
    return this.byPairId.delete(pairId);
  }

  /** Forgets those whose lease is over at the other node. Returns whether there were any. */
  sweep(nowNs: bigint): boolean {
    let any = false;
    for (const [pairId, { untilNs }] of this.byPairId) {
      if (untilNs > nowNs) return any; // insertion order is the order of expiry
      this.byPairId.delete(pairId);
      any = true;
    }
    return any;
  }

  /** The claims on local addresses that they leave (claimOf), each with its end. */
  claims(): ReadonlyMap<string, bigint> {
    return new Map([...this.byPairId.values()].map(({ claim, untilNs }) => [claim, untilNs]));
  }
}
