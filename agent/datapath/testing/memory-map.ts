import type { RowStore } from '../rows/row-store.ts';

/** A BPF hash map's behaviour in memory; with `maxEntries` rows it is full. */
export class MemoryMap implements RowStore {
  private readonly rows = new Map<string, Buffer>();

  constructor(readonly maxEntries = 1000) {}

  get(key: Uint8Array): Buffer | undefined {
    const value = this.rows.get(Buffer.from(key).toString('hex'));
    return value && Buffer.from(value);
  }

  set(key: Uint8Array, value: Uint8Array): void {
    const name = Buffer.from(key).toString('hex');
    if (!this.rows.has(name) && this.rows.size >= this.maxEntries) throw new Error('E2BIG');
    this.rows.set(name, Buffer.from(value));
  }

  delete(key: Uint8Array): boolean {
    return this.rows.delete(Buffer.from(key).toString('hex'));
  }

  entries(): readonly (readonly [Buffer, Buffer])[] {
    return [...this.rows].map(([key, value]) => [Buffer.from(key, 'hex'), Buffer.from(value)]);
  }
}
