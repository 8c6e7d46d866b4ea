/** Something that happens again and again; listeners are called in the order in which they subscribed. */
export class Emitter<T> {
  private readonly listeners = new Set<(value: T) => void>();

  /** Returns the function that unsubscribes. */
  subscribe(listener: (value: T) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  emit(value: T): void {
    for (const listener of this.listeners) listener(value);
  }
}
