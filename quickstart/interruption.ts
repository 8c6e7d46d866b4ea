/** The end before the time: after it nothing that is under way says anything, since it fails only because its lab is taken away. */
export class Interruption {
  #came = false;

  /** The first signal of those runs `end`; more change nothing (npm passes on what the terminal has sent already). */
  constructor(signals: readonly NodeJS.Signals[], end: (signal: NodeJS.Signals) => Promise<void>) {
    for (const signal of signals) {
      process.on(signal, () => {
        if (this.#came) return;
        this.#came = true;
        void end(signal);
      });
    }
  }

  get came(): boolean {
    return this.#came;
  }

  /** What the work leads to; nothing any more once the interruption has come. */
  outcomeOf<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      // The signal reaches the lab's programs as well. What their end leads to may be seen in the same turn of the event loop as the signal, and before it.
      const unlessItCame = (then: () => void) => setImmediate(() => this.#came || then());
      work.then(
        (value) => unlessItCame(() => resolve(value)),
        (error: unknown) => unlessItCame(() => reject(error)),
      );
    });
  }
}
