/** Delays between attempts: doubling from `firstMs` to `maxMs`, each shortened by up to half at random, so that many agents do not come back at once. */
export class Backoff {
  private attempts = 0;

  constructor(
    private readonly firstMs: number,
    private readonly maxMs: number,
    private readonly random: () => number,
  ) {}

  /** The delay before the next attempt, milliseconds. */
  next(): number {
    const whole = Math.min(this.maxMs, this.firstMs * 2 ** Math.min(this.attempts++, 30));
    return Math.round(whole * (1 - this.random() / 2));
  }

  /** The last attempt succeeded. */
  reset(): void {
    this.attempts = 0;
  }
}
