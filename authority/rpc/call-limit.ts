import { SymbolonError } from '#core/errors/error';

/** Calls that may be in progress at a time: by everybody together, and by one caller. */
export interface CallLimits {
  readonly all: number;
  readonly ofOne: number;
}

/** Lets a bounded number of calls be in progress and refuses the others at once: those who wait in a queue would cost more, and wait longer. */
export class CallLimit {
  private readonly ofCaller = new Map<string, number>();
  private all = 0;

  constructor(private readonly limits: CallLimits) {}

  /** Does the work, unless as many are in progress as may be. Throws BUSY, or what the work throws. */
  async run<T>(method: string, caller: string, work: () => Promise<T>): Promise<T> {
    const mine = this.ofCaller.get(caller) ?? 0;
    if (this.all >= this.limits.all || mine >= this.limits.ofOne) {
      throw new SymbolonError('BUSY', `${method}: ${mine} calls of yours and ${this.all} of all are in progress; try again in a moment`, {
        what: method,
      });
    }
    this.all++;
    this.ofCaller.set(caller, mine + 1);
    try {
      return await work();
    } finally {
      this.all--;
      const left = (this.ofCaller.get(caller) ?? 1) - 1;
      if (left > 0) this.ofCaller.set(caller, left);
      else this.ofCaller.delete(caller);
    }
  }
}
