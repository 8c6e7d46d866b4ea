import type { Clock, Timer } from '#daemon/clock';
import type { Credits } from '#proto/gen/symbolon/agent/session';
import type { ContextLedger } from '../proof/ledger.ts';
import type { Message } from './transport.ts';

/** Credits that a peer holds from us in a quiet session. */
const TARGET = 64;
/** However often it asks, it holds no more than this. */
const MAX_WAITING = 4 * TARGET;

/** Issues credits to the peer, and renews them before it drops them: a quiet session still starts a pair in one round trip. */
export class CreditIssuer {
  private timer: Timer | undefined;

  constructor(
    private readonly ledger: ContextLedger,
    private readonly send: (message: Message) => void,
  ) {}

  start(clock: Clock): void {
    this.refill();
    this.timer = clock.after(this.ledger.ttlMs / 2, () => {
      this.ledger.sweep();
      this.start(clock);
    });
  }

  stop(): void {
    this.timer?.cancel();
  }

  /** A new set, as far as the cap allows. */
  refill(): void {
    const credits = this.take(Math.min(TARGET, MAX_WAITING - this.ledger.waiting('credit')));
    if (credits) this.send({ $case: 'credits', value: credits });
  }

  /** Gives back what one answered request has used. */
  one(): Credits | undefined {
    return this.take(Math.min(1, MAX_WAITING - this.ledger.waiting('credit')));
  }

  private take(count: number): Credits | undefined {
    if (count <= 0) return undefined;
    const authenticatorRequests = Array.from({ length: count }, () => Buffer.from(this.ledger.issue('credit').bytes));
    return { ttlMs: this.ledger.ttlMs, authenticatorRequests };
  }
}
