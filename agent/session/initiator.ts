import type { Flow } from '#core/network/flow';
import type { Clock } from '#daemon/clock';
import type { PairResponse } from '#proto/gen/symbolon/agent/session';
import type { AuthenticatorRequest } from '../proof/authenticator/message.ts';
import type { PairOutcome } from '../proof/contract.ts';
import type { CreditPurse } from './credits.ts';
import type { ExchangeContext } from '../proof/exchange.ts';
import { finishPair, type StartedPair, startPair } from '../proof/initiate.ts';
import { refusalOfError, refused } from '../proof/refusal.ts';
import type { Message } from './transport.ts';
import { wireCloseReason } from './close-reason.ts';

/** A peer that has not answered by then is not answering. */
const ANSWER_TIMEOUT_MS = 5000;
const CREDIT_TIMEOUT_MS = 2000;

interface Pending {
  readonly started: StartedPair;
  readonly settle: (outcome: PairOutcome) => void;
}

/** The pairs that this end starts over one session. */
export class Initiator {
  private readonly waiting = new Map<bigint, Pending>();
  private nextId = 1n;
  private creditAskedMs = Number.NEGATIVE_INFINITY;
  private starting = 0;
  private failed: string | undefined;

  constructor(
    private readonly exchange: ExchangeContext,
    private readonly purse: CreditPurse,
    private readonly send: (message: Message) => void,
    private readonly clock: Clock,
  ) {}

  get pending(): number {
    return this.waiting.size + this.starting;
  }

  /** Never rejects. */
  async authenticate(flow: Flow, replaces?: string): Promise<PairOutcome> {
    this.starting++;
    try {
      const credit = await this.credit();
      if (!credit)
        return this.failed === undefined ? refused('no-credit', 'the peer issues no credits') : refused('session-lost', this.failed);
      const started = await startPair(this.exchange, credit, flow, replaces);
      return await this.ask(started);
    } catch (error) {
      return refusalOfError(error);
    } finally {
      this.starting--;
    }
  }

  private async credit(): Promise<AuthenticatorRequest | undefined> {
    const deadline = performance.now() + CREDIT_TIMEOUT_MS;
    const timer = this.clock.after(CREDIT_TIMEOUT_MS, () => this.purse.wake());
    try {
      while (this.failed === undefined && performance.now() < deadline) {
        const credit = this.purse.take();
        if (credit) return credit;
        this.requestCredits();
        await this.purse.arrived();
      }
      return undefined;
    } finally {
      timer.cancel();
    }
  }

  private requestCredits(): void {
    const now = performance.now();
    if (now - this.creditAskedMs < 100) return;
    this.creditAskedMs = now;
    this.send({ $case: 'creditRequest', value: {} });
  }

  private ask(started: StartedPair): Promise<PairOutcome> {
    if (this.failed !== undefined) return Promise.resolve(refused('session-lost', this.failed));
    const id = this.nextId++;
    return new Promise((resolve) => {
      const timer = this.clock.after(ANSWER_TIMEOUT_MS, () => {
        this.waiting.get(id)?.settle(refused('session-lost', `the peer has not answered within ${ANSWER_TIMEOUT_MS} ms`));
      });
      const settle = (outcome: PairOutcome): void => {
        timer.cancel();
        this.waiting.delete(id);
        resolve(outcome);
      };
      this.waiting.set(id, { started, settle });
      this.send({ $case: 'pairRequest', value: { id, ...started.request } });
    });
  }

  /** An answer of the peer. One to nothing that we asked is ignored: it was given up. Throws for credits that are none. */
  answered(response: PairResponse): void {
    if (response.credits) this.purse.add(response.credits.authenticatorRequests, response.credits.ttlMs);
    const pending = this.waiting.get(response.id);
    if (!pending) return;
    this.waiting.delete(response.id);
    void finishPair(this.exchange, pending.started, response).then(({ outcome, abandoned }) => {
      if (abandoned !== undefined) {
        this.send({ $case: 'pairClose', value: { pairId: Buffer.from(abandoned, 'hex'), reason: wireCloseReason('policy-changed') } });
      }
      pending.settle(this.failed === undefined ? outcome : refused('session-lost', this.failed));
    });
  }

  /** The session is over. */
  fail(why: string): void {
    this.failed = why;
    this.waiting.forEach((pending) => pending.settle(refused('session-lost', why)));
  }
}
