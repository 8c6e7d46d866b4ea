import type { TLSSocket } from 'node:tls';
import { assertNever, describeError } from '#core/errors/error';
import type { Flow } from '#core/network/flow';
import type { X509Svid } from '#core/spiffe/svid';
import type { Clock } from '#daemon/clock';
import type { Logger } from '#daemon/log';
import { secretsOfSocket } from '../proof/authenticator/secrets.ts';
import { ContextLedger } from '../proof/ledger.ts';
import type { PairJudge, PairOutcome } from '../proof/contract.ts';
import type { CloseReason, NodeSession } from './contract.ts';
import { CreditIssuer } from './credit-issuer.ts';
import { CreditPurse } from './credits.ts';
import type { ExchangeContext } from '../proof/exchange.ts';
import type { OwnedSession, SessionHooks } from './hooks.ts';
import { Initiator } from './initiator.ts';
import { Responder } from './responder.ts';
import { type Message, Transport } from './transport.ts';
import { closeReasonOf, wireCloseReason } from './close-reason.ts';

/** A credit, and a demand, may be answered for this long. */
const CREDIT_TTL_MS = 60_000;
/** A PairClose that is not acknowledged by then will not be. */
const CLOSE_TIMEOUT_MS = 5000;
/** Pair ids of one PairInventory, well below the longest frame. */
const INVENTORY_CHUNK = 2000;
const PAIR_ID_BYTES = 16;

export interface SessionParts {
  readonly judge: PairJudge;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called once, before anything of the peer is handled. */
  readonly hooks: (session: OwnedSession) => SessionHooks;
  /** X25519 for every pair that this end starts. Default false: nothing is keyed by a pair yet. */
  readonly forwardSecrecy?: boolean;
}

/** Runs the protocol over a connection whose peer has just been verified. */
export function openNodeSession(socket: TLSSocket, side: 'dialled' | 'accepted', peer: X509Svid, parts: SessionParts): OwnedSession {
  return new Session(socket, side, peer, parts);
}

class Session implements OwnedSession, NodeSession {
  readonly closed: Promise<void>;
  private resolveClosed: () => void = () => undefined;
  private ended = false;
  private readonly transport: Transport;
  private readonly purse: CreditPurse;
  private readonly issuer: CreditIssuer;
  private readonly initiator: Initiator;
  private readonly responder: Responder;
  private readonly hooks: SessionHooks;
  private readonly closing = new Map<string, (acknowledged: boolean) => void>();
  private readonly expiry: { cancel(): void };

  constructor(
    socket: TLSSocket,
    readonly side: 'dialled' | 'accepted',
    readonly peer: X509Svid,
    private readonly parts: SessionParts,
  ) {
    this.closed = new Promise((resolve) => (this.resolveClosed = resolve));
    const role = side === 'dialled' ? 'client' : 'server';
    const nowMs = (): number => performance.now();
    const ledger = new ContextLedger(role, nowMs, CREDIT_TTL_MS);
    const exchange: ExchangeContext = {
      secrets: secretsOfSocket(socket, role),
      ledger,
      judge: parts.judge,
      peerNode: peer,
      now: () => parts.clock.now(),
      forwardSecrecy: parts.forwardSecrecy ?? false,
    };
    const send = (message: Message): void => this.transport.send(message);
    this.purse = new CreditPurse(role === 'client' ? 'server' : 'client', nowMs);
    this.issuer = new CreditIssuer(ledger, send);
    this.initiator = new Initiator(exchange, this.purse, send, parts.clock);
    this.responder = new Responder(exchange, this.issuer, send, (pair) => this.hooks.admit(pair));
    this.hooks = parts.hooks(this);
    this.transport = new Transport(
      socket,
      (message) => this.handle(message),
      (error) => this.end(error),
    );
    const left = Math.max(0, peer.notAfter - parts.clock.now());
    this.expiry = parts.clock.after(left, () => this.close());
    this.issuer.start(parts.clock);
  }

  get busy(): number {
    return this.initiator.pending + this.responder.working;
  }

  authenticate(flow: Flow, replaces?: string): Promise<PairOutcome> {
    return this.initiator.authenticate(flow, replaces);
  }

  closePair(pairId: string, reason: CloseReason): Promise<boolean> {
    if (this.ended) return Promise.resolve(false);
    this.transport.send({ $case: 'pairClose', value: { pairId: Buffer.from(pairId, 'hex'), reason: wireCloseReason(reason) } });
    return new Promise((resolve) => {
      const timer = this.parts.clock.after(CLOSE_TIMEOUT_MS, () => this.closing.get(pairId)?.(false));
      this.closing.set(pairId, (acknowledged) => {
        timer.cancel();
        this.closing.delete(pairId);
        resolve(acknowledged);
      });
    });
  }

  sendKeepalive(sequence: bigint, leaseMs: number): void {
    this.transport.send({ $case: 'keepalive', value: { sequence, leaseMs } });
  }

  sendInventory(pairIds: readonly string[]): void {
    for (let at = 0; at < pairIds.length; at += INVENTORY_CHUNK) {
      const chunk = pairIds.slice(at, at + INVENTORY_CHUNK).map((id) => Buffer.from(id, 'hex'));
      this.transport.send({ $case: 'pairInventory', value: { pairIds: chunk } });
    }
  }

  close(): void {
    this.transport.close();
    this.end(undefined);
  }

  private handle(message: Message): void {
    switch (message.$case) {
      case 'credits':
        return this.purse.add(message.value.authenticatorRequests, message.value.ttlMs);
      case 'creditRequest':
        return this.issuer.refill();
      case 'pairRequest':
        return this.responder.accept(message.value);
      case 'pairResponse':
        return this.initiator.answered(message.value);
      case 'pairClose': {
        const { pairId, reason } = message.value;
        if (pairId.length === PAIR_ID_BYTES) this.hooks.pairClosed(pairId.toString('hex'), closeReasonOf(reason));
        return this.transport.send({ $case: 'pairCloseAck', value: { pairId } });
      }
      case 'pairCloseAck':
        return this.closing.get(message.value.pairId.toString('hex'))?.(true);
      case 'pairInventory':
        return this.hooks.inventory(message.value.pairIds.filter((id) => id.length === PAIR_ID_BYTES).map((id) => id.toString('hex')));
      case 'keepalive':
        this.transport.send({ $case: 'keepaliveAck', value: { sequence: message.value.sequence } });
        return this.hooks.keepalive();
      case 'keepaliveAck':
        return this.hooks.keepaliveAck(message.value.sequence);
      default:
        return assertNever(message);
    }
  }

  private end(error: unknown): void {
    if (this.ended) return;
    this.ended = true;
    if (error !== undefined) this.parts.log.warn({ peer: this.peer.id, problem: describeError(error) }, 'node session failed');
    this.expiry.cancel();
    this.issuer.stop();
    this.initiator.fail('the node session ended');
    this.purse.wake();
    this.closing.forEach((resolve) => resolve(false));
    this.resolveClosed();
  }
}
