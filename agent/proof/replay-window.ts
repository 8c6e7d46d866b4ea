/** How far numbers may arrive out of order. */
const WINDOW = 4096;

/** Numbers that were seen: each is taken once, in bounded memory; anything older than the window counts as seen. */
export class ReplayWindow {
  private highest = -1;
  private readonly seen = new Uint8Array(WINDOW);

  /** True the first time for a number. */
  claim(sequence: number): boolean {
    if (sequence > this.highest) {
      for (let i = Math.max(this.highest + 1, sequence - WINDOW + 1); i < sequence; i++) this.seen[i % WINDOW] = 0;
      this.highest = sequence;
    } else if (sequence <= this.highest - WINDOW || this.seen[sequence % WINDOW] === 1) {
      return false;
    }
    this.seen[sequence % WINDOW] = 1;
    return true;
  }
}
