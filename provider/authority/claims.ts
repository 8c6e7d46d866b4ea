import { SymbolonError } from '#core/errors/error';

/**
 * Which objects the configuration manages, as far as this process has heard. Two addresses for one object would take it from each other with every
 * apply, and no plan would ever be empty.
 */
export class Claims {
  private readonly holders = new Map<string, string | symbol>();

  /** Takes an object's key for a holder. Throws CONFIG_INVALID if another one has it; `what` is the object, for people. */
  claim(key: string, holder: string | symbol, what: string): void {
    const other = this.holders.get(key);
    if (other !== undefined && other !== holder) {
      throw new SymbolonError(
        'CONFIG_INVALID',
        `${what} is already managed by this configuration at another address; remove one of the two resources`,
        { path: '', value: what },
      );
    }
    this.holders.set(key, holder);
  }

  /** Gives a key back, if it is the holder's. */
  release(key: string, holder: string | symbol): void {
    if (this.holders.get(key) === holder) this.holders.delete(key);
  }
}
