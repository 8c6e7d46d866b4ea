import type { RowStore } from './rows/row-store.ts';
import type { FoundPair, PairSpec, SessionIndex } from './contract.ts';
import type { NodeRow } from './node-row.ts';
import {
  decodePairRows,
  type EpochRow,
  encodePairRow,
  isFlushingRow,
  type PairRows,
  type PairState,
  pairOfRow,
  type Row,
} from './rows/pair-rows.ts';
import { type GrantedRow, grantedRows, rowCovers, rowsCover } from './rows/ranges.ts';

function nameOf(ends: Pick<PairSpec, 'realm' | 'endpoint' | 'local' | 'remote' | 'role'>): string {
  return `${ends.realm} ${ends.endpoint} ${ends.role} ${ends.local.text} ${ends.remote.text}`;
}

function sameRow(a: GrantedRow, b: GrantedRow): boolean {
  return a.protocol === b.protocol && a.servicePort === b.servicePort;
}

/** The live pairs: the rows of sym_pairs, and in memory what they say. The agent is their only writer. */
export class PairTable {
  private readonly entries = new Map<string, PairRows>();
  private readonly byNumber = new Map<number, Set<string>>();

  /**
   * Takes over what is in the map. Nothing of it waits any more; of two pairs between the same ends (an agent died while it replaced one by the
   * other) the newer one stays.
   */
  constructor(
    private readonly map: RowStore,
    private readonly node: Pick<NodeRow, 'nextEpoch'>,
  ) {
    const rows = map.entries().map(([key, value]): Row => ({ key, value }));
    const waiting = new Set(decodePairRows(rows.filter(isFlushingRow)).map(({ spec }) => nameOf(spec)));
    for (const found of [...decodePairRows(rows)].sort((a, b) => a.spec.pair - b.spec.pair)) {
      const older = this.entries.get(nameOf(found.spec));
      this.enter(found);
      if (older) this.deleteRows(older, found.spec.pair);
    }
    for (const [name, { spec }] of this.entries) if (waiting.has(name)) this.open(spec);
  }

  private enter(entry: PairRows): void {
    const name = nameOf(entry.spec);
    this.leave(name);
    this.entries.set(name, entry);
    this.byNumber.set(entry.spec.pair, (this.byNumber.get(entry.spec.pair) ?? new Set<string>()).add(name));
  }

  private leave(name: string): void {
    const number = this.entries.get(name)?.spec.pair;
    this.entries.delete(name);
    if (number === undefined) return;
    const names = this.byNumber.get(number);
    names?.delete(name);
    if (names?.size === 0) this.byNumber.delete(number);
  }

  private write({ spec, rows }: PairRows, state: PairState): void {
    for (const row of rows) {
      const { key, value } = encodePairRow(spec, row, state);
      this.map.set(key, value);
    }
  }

  /** Deletes the pair's rows but those that carry another number, or the number `except`. */
  private deleteRows({ spec, rows }: PairRows, except?: number): boolean {
    let removed = false;
    for (const row of rows) {
      const { key } = encodePairRow(spec, row, 'LIVE');
      const value = this.map.get(key);
      if (value && pairOfRow(value) !== except) removed = this.map.delete(key) || removed;
    }
    return removed;
  }

  /** Every live pair; `epoch` = the newest of its rows'. */
  list(): readonly FoundPair[] {
    return [...this.entries.values()].map(({ spec, rows }) => ({ spec, epoch: Math.max(...rows.map(({ epoch }) => epoch)) }));
  }

  usesSession(index: number): boolean {
    for (const { spec } of this.entries.values()) if (spec.session === index) return true;
    return false;
  }

  /**
   * Writes the pair's rows, and deletes those of an older pair between the same ends that it does not have. A row keeps its epoch, and so its
   * flows, if the older pair `isLive` and the row allows no less than before; any other row gets a new epoch.
   * Throws PAIR_REFUSED before anything is written; KERNEL_CALL_FAILED with nothing of either pair left.
   */
  install(spec: PairSpec, state: PairState, isLive: (pair: PairSpec) => boolean): void {
    const granted = grantedRows(spec.grants);
    const older = this.entries.get(nameOf(spec));
    const kept = older && isLive(older.spec) ? older.rows : [];
    let fresh: number | undefined;
    const rows = granted.map((row): EpochRow => {
      const before = kept.find((k) => sameRow(k.granted, row) && rowCovers(row, k.granted));
      if (before) return { granted: row, epoch: before.epoch };
      fresh ??= this.node.nextEpoch();
      return { granted: row, epoch: fresh };
    });
    const stale = older && { spec: older.spec, rows: older.rows.filter((o) => !granted.some((row) => sameRow(row, o.granted))) };
    this.enter({ spec, rows });
    try {
      this.write({ spec, rows }, state);
    } catch (error) {
      this.deleteRows({ spec, rows: [...rows, ...(stale?.rows ?? [])] });
      this.leave(nameOf(spec));
      throw error;
    }
    if (stale) this.deleteRows(stale);
  }

  /** Rewrites the rows of an installed pair as LIVE: packets pass by themselves. */
  open(spec: PairSpec): void {
    const entry = this.entries.get(nameOf(spec));
    if (entry) this.write(entry, 'LIVE');
  }

  /** Whether a live pair of this endpoint as client allows the flow. */
  covers(key: Pick<PairSpec, 'realm' | 'endpoint' | 'local' | 'remote'>, protocol: GrantedRow['protocol'], servicePort: number): boolean {
    const entry = this.entries.get(nameOf({ ...key, role: 'client' }));
    return entry !== undefined && rowsCover(grantedRows(entry.spec.grants), protocol, servicePort);
  }

  /** Deletes the rows that carry the pair's number; `only` limits it to some of its ends. Returns whether there were any. */
  remove(pair: number, only?: (spec: PairSpec) => boolean): boolean {
    let removed = false;
    for (const name of this.byNumber.get(pair) ?? []) {
      const entry = this.entries.get(name);
      if (!entry || (only && !only(entry.spec))) continue;
      removed = this.deleteRows(entry) || removed;
      this.leave(name);
    }
    return removed;
  }

  /** Gives the session's pairs a new epoch each: the flows that they had are dead for good. */
  renewEpochs(session: SessionIndex): void {
    const ofSession = Array.from(this.entries.values()).filter(({ spec }) => spec.session === session);
    for (const { spec } of ofSession) this.install(spec, 'LIVE', () => false);
  }
}
