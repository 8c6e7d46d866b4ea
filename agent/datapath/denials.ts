import { SYM_DENY } from '#bpf/gen/layout';
import type { RowStore } from './rows/row-store.ts';
import type { PairKey } from './contract.ts';
import { encodePairKey } from './rows/pair-rows.ts';
import { encodeRow } from './rows/row.ts';

type Ends = Pick<PairKey, 'realm' | 'endpoint' | 'local' | 'remote'>;

interface Denial {
  readonly key: PairKey;
  readonly row: Buffer;
}

function endsOf(ends: Ends): string {
  return `${ends.realm} ${ends.endpoint} ${ends.local.text} ${ends.remote.text}`;
}

/**
 * Refusals that the agent has decided, rows of sym_denied: an LRU map, which may forget some by itself; those are asked again. In memory they are
 * kept by their ends, oldest first, and no more of them than the map holds.
 */
export class DenialTable {
  private readonly byEnds = new Map<string, Map<string, Denial>>();
  private size = 0;
  private readonly reasons: string[] = ['']; // 0 is no reason
  private readonly counts = new Map<string, bigint>();

  /** Forgets what an earlier agent refused: its policies may be out of date. */
  constructor(private readonly map: RowStore) {
    for (const [key] of map.entries()) map.delete(key);
  }

  add(key: PairKey, reason: string, untilBootNs: bigint): void {
    let number = this.reasons.indexOf(reason);
    if (number < 0) number = this.reasons.push(reason) - 1;
    this.counts.set(reason, (this.counts.get(reason) ?? 0n) + 1n);
    const row = encodePairKey(key);
    this.map.set(row, encodeRow(SYM_DENY, { until: untilBootNs, reason: number }));
    const ends = endsOf(key);
    const denials = this.byEnds.get(ends) ?? new Map<string, Denial>();
    this.byEnds.set(ends, denials);
    const name = row.toString('latin1');
    if (!denials.has(name)) this.size++;
    denials.set(name, { key, row });
    while (this.size > this.map.maxEntries) this.removeOldest();
  }

  private removeOldest(): void {
    for (const [ends, denials] of this.byEnds) {
      for (const { row } of denials.values()) this.map.delete(row);
      this.size -= denials.size;
      this.byEnds.delete(ends);
      return;
    }
  }

  /** Takes back the refusals between these ends that `test` names. */
  removeBetween(between: Ends, test: (key: PairKey) => boolean): void {
    const ends = endsOf(between);
    const denials = this.byEnds.get(ends);
    for (const [name, { key, row }] of denials ?? []) {
      if (!test(key)) continue;
      this.map.delete(row);
      denials?.delete(name);
      this.size--;
    }
    if (denials?.size === 0) this.byEnds.delete(ends);
  }

  /** Takes all refusals back. */
  clear(): void {
    for (const denials of this.byEnds.values()) for (const { row } of denials.values()) this.map.delete(row);
    this.byEnds.clear();
    this.size = 0;
  }

  /** How often each reason was decided. */
  decided(): ReadonlyMap<string, bigint> {
    return this.counts;
  }
}
