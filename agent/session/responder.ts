import { type PairRequest, Verdict } from '#proto/gen/symbolon/agent/session';
import type { ProvenPair, Refusal } from '../proof/contract.ts';
import type { CreditIssuer } from './credit-issuer.ts';
import type { ExchangeContext } from '../proof/exchange.ts';
import { refused } from '../proof/refusal.ts';
import { answerPair, type PairAnswer } from '../proof/respond.ts';
import type { Message } from './transport.ts';
import { verdictOf } from '../proof/verdict.ts';

/** Requests of one peer in work at once: more would keep the thread pool from everybody else. */
const MAX_WORKING = 16;
/** And waiting behind them; the rest is refused as overloaded. */
const MAX_QUEUED = 512;

/** Answers the peer's requests over one session, a bounded number at a time. */
export class Responder {
  private readonly queue: PairRequest[] = [];
  working = 0;

  constructor(
    private readonly exchange: ExchangeContext,
    private readonly issuer: CreditIssuer,
    private readonly send: (message: Message) => void,
    private readonly admit: (pair: ProvenPair) => void,
  ) {}

  accept(request: PairRequest): void {
    if (this.working < MAX_WORKING) void this.work(request);
    else if (this.queue.length < MAX_QUEUED) this.queue.push(request);
    else this.refuse(request.id, refused('overloaded', `more than ${MAX_QUEUED} requests of this node wait`));
  }

  private async work(first: PairRequest): Promise<void> {
    this.working++;
    for (let request: PairRequest | undefined = first; request; request = this.queue.shift()) {
      this.answer(request.id, await answerPair(this.exchange, request, this.admit));
    }
    this.working--;
  }

  private answer(id: bigint, answer: PairAnswer): void {
    if (answer.verdict === 'refused') return this.refuse(id, answer);
    const { terms, authenticator } = answer;
    const value = { id, verdict: Verdict.VERDICT_ACCEPTED, detail: '', terms, authenticator, credits: this.issuer.one() };
    this.send({ $case: 'pairResponse', value });
  }

  private refuse(id: bigint, refusal: Refusal): void {
    const empty = { terms: Buffer.alloc(0), authenticator: Buffer.alloc(0) };
    const value = { id, verdict: verdictOf(refusal.reason), detail: refusal.detail.slice(0, 500), ...empty, credits: this.issuer.one() };
    this.send({ $case: 'pairResponse', value });
  }
}
