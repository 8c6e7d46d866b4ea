import { SYM_DENY } from '#bpf/gen/layout';
import type { RowStore } from './rows/row-store.ts';
import type { PairKey } from './contract.ts';
import { encodePairKey } from './rows/pair-rows.ts';
import { encodeRow } from './rows/row.ts';

/** Refusals that the agent has decided, rows of sym_denied. The map may forget some by itself (LRU): they are asked again. */
export class DenialTable {
  private readonly keys = new Map<string, { readonly key: PairKey; readonly row: Buffer; readonly untilBootNs: bigint }>();
  private readonly reasons: string[] = ['']; // 0 is no reason
  private readonly counts = new Map<string, bigint>();

  /** Forgets what an earlier agent refused: its policies may be out of date. */
  constructor(private readonly map: RowStore) {
    for (const [key] of map.entries()) map.delete(key);
  }

  add(key: PairKey, reason: string, untilBootNs: bigint, nowBootNs: bigint): void {
    let number = this.reasons.indexOf(reason);
    if (number < 0) number = this.reasons.push(reason) - 1;
    this.counts.set(reason, (this.counts.get(reason) ?? 0n) + 1n);
    const row = encodePairKey(key);
    this.map.set(row, encodeRow(SYM_DENY, { until: untilBootNs, reason: number }));
    if (this.keys.size >= this.map.maxEntries) this.prune(nowBootNs);
    this.keys.set(row.toString('latin1'), { key, row, untilBootNs });
  }

  private prune(nowBootNs: bigint): void {
    for (const [name, { untilBootNs }] of this.keys) if (untilBootNs <= nowBootNs) this.keys.delete(name);
    // Whatever is still too much has been pushed out of the map as well; oldest first.
    for (const name of this.keys.keys()) {
      if (this.keys.size < this.map.maxEntries) return;
      this.keys.delete(name);
    }
  }

  /** Takes refusals back. */
  removeWhere(test: (key: PairKey) => boolean): void {
    for (const [name, { key, row }] of this.keys) {
      if (!test(key)) continue;
      this.map.delete(row);
      this.keys.delete(name);
    }
  }

  /** How often each reason was decided. */
  decided(): ReadonlyMap<string, bigint> {
    return this.counts;
  }
}
