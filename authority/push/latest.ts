/** A place for one value: a newer one replaces one that nobody has taken yet. Reading waits for a value that has not been read. */
export class Latest<T> implements AsyncIterable<T> {
  private value: { readonly of: T } | undefined;
  private ended: { readonly error?: Error } | undefined;
  private wake: (() => void) | undefined;

  set(value: T): void {
    this.value = { of: value };
    this.wake?.();
  }

  /** Ends the reading, with an error or without. What was set and not read is dropped. */
  end(error?: Error): void {
    this.ended ??= error ? { error } : {};
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      if (this.ended) {
        if (this.ended.error) throw this.ended.error;
        return;
      }
      const taken = this.value;
      this.value = undefined;
      if (taken) yield taken.of;
      else {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
        this.wake = undefined;
      }
    }
  }
}
