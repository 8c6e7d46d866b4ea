/** More closes of unknown pairs than this are those of a peer that misbehaves: the oldest are forgotten. */
const MAX_TOMBSTONES = 16_384;

/** Pairs that were closed, for as long as an install of them may still be under way: one lease. */
export class Tombstones {
  private readonly until = new Map<string, bigint>();

  constructor(private readonly keepNs: bigint) {}

  add(pairId: string, nowNs: bigint): void {
    this.until.delete(pairId);
    this.until.set(pairId, nowNs + this.keepNs);
    if (this.until.size > MAX_TOMBSTONES) this.forgetOldest();
  }

  has(pairId: string): boolean {
    return this.until.has(pairId);
  }

  sweep(nowNs: bigint): void {
    for (const [pairId, until] of this.until) {
      if (until > nowNs) return; // insertion order is the order of expiry
      this.until.delete(pairId);
    }
  }

  private forgetOldest(): void {
    for (const pairId of this.until.keys()) {
      this.until.delete(pairId);
      return;
    }
  }
}
