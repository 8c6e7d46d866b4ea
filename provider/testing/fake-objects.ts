import { randomUUID } from 'node:crypto';
import { SymbolonError } from '#core/errors/error';
import type { Ownership } from '#proto/gen/symbolon/authority/types';

interface Message {
  id: string;
  ownership: Ownership | undefined;
}

/** One kind of object of a fake authority, in memory, with the real one's rules of ownership, generations and adoption. */
export class FakeObjects<M extends Message> {
  readonly all = new Map<string, M>();
  private readonly keyOf: (message: M) => string;

  constructor(keyOf: (message: M) => string) {
    this.keyOf = keyOf;
  }

  create(wanted: M): M {
    const found = [...this.all.values()].find((m) => this.keyOf(m) === this.keyOf(wanted));
    if (!found) return this.put(wanted, 1n);
    const content = (message: M): string => JSON.stringify({ ...message, id: '', ownership: undefined });
    const owner = wanted.ownership?.owner ?? '';
    if (owner === '' || found.ownership?.owner !== owner || content(found) !== content(wanted)) {
      const what = this.keyOf(wanted);
      throw new SymbolonError('ALREADY_EXISTS', `${what} exists already; to take it over: terraform import <address> td/${found.id}`, {
        what,
        owner: found.ownership?.owner ?? '',
      });
    }
    this.all.delete(found.id);
    return this.put(wanted, (found.ownership?.generation ?? 0n) + 1n);
  }

  update(wanted: M, expected: bigint | undefined): M {
    const found = this.find(wanted.id, expected);
    return this.put(wanted, (found.ownership?.generation ?? 0n) + 1n, wanted.id);
  }

  delete(id: string, expected: bigint | undefined): void {
    this.find(id, expected);
    this.all.delete(id);
  }

  /** Somebody else's change, behind the provider's back. */
  change(name: (message: M) => boolean, changes: Partial<M>, owner = 'console'): void {
    const found = [...this.all.values()].find(name);
    if (!found) throw new Error('no such object');
    this.put({ ...found, ...changes, ownership: { owner, generation: 0n } }, (found.ownership?.generation ?? 0n) + 1n, found.id);
  }

  private put(message: M, generation: bigint, id: string = randomUUID()): M {
    const object = { ...message, id, ownership: { owner: message.ownership?.owner ?? '', generation } };
    this.all.set(id, object);
    return object;
  }

  private find(id: string, expected: bigint | undefined): M {
    const found = this.all.get(id);
    if (!found) throw new SymbolonError('NOT_FOUND', `there is no object with the id ${id}`, { what: id });
    const generation = found.ownership?.generation ?? 0n;
    if (expected === undefined || expected === generation) return found;
    const owner = found.ownership?.owner ?? '';
    const message = `${this.keyOf(found)} was changed by "${owner}" since it was read (generation ${generation}, expected ${expected})`;
    throw new SymbolonError('CONFLICT', message, { what: owner });
  }
}
