import { randomBytes } from 'node:crypto';
import { SymbolonError } from '#core/errors/error';
import { encodeRequest } from './authenticator/encode.ts';
import { type AuthenticatorRequest, BINDING_EXTENSION, type TlsRole } from './authenticator/message.ts';
import { parseRequest } from './authenticator/parse.ts';
import { OFFERED_SCHEMES } from './authenticator/scheme.ts';
import { ReplayWindow } from './replay-window.ts';

/** `credit`: issued ahead, for whoever wants to start. `demand`: made by an initiator for its responder. */
export type RequestKind = 'credit' | 'demand';
const KIND_BIT: Readonly<Record<RequestKind, number>> = { credit: 0, demand: 1 };
const CONTEXT_BYTES = 24;
const COUNTER_BYTES = 6;

interface Outstanding {
  readonly request: AuthenticatorRequest;
  readonly kind: RequestKind;
  readonly expiresMs: number;
}

/**
 * The authenticator requests of one TLS connection: each of ours is answered at most once, each of theirs at most once by us. A context is
 * one byte for role and kind, a zero, a 48-bit counter and 16 random bytes: the counter keeps memory bounded, the rest is not guessable.
 */
export class ContextLedger {
  private readonly outstanding = new Map<string, Outstanding>();
  private readonly counts = { credit: 0, demand: 0 };
  private readonly issued = { credit: 0, demand: 0 };
  private readonly answered = { credit: new ReplayWindow(), demand: new ReplayWindow() };

  /** `nowMs` is monotonic. */
  constructor(
    private readonly role: TlsRole,
    private readonly nowMs: () => number,
    readonly ttlMs: number,
  ) {}

  /** A new context of this end, for a request that binds something that does not exist yet. */
  reserve(kind: RequestKind): Buffer {
    const context = randomBytes(CONTEXT_BYTES);
    context[0] = (this.role === 'server' ? 2 : 0) | KIND_BIT[kind];
    context[1] = 0;
    context.writeUIntBE(this.issued[kind]++, 2, COUNTER_BYTES);
    return context;
  }

  /** Makes the request of a reserved context: from now on it may be answered. `binding` is what it binds itself (nothing for a credit). */
  issue(kind: RequestKind, context: Buffer = this.reserve(kind), binding: Uint8Array = new Uint8Array()): AuthenticatorRequest {
    const extensions = [{ type: BINDING_EXTENSION, data: binding }];
    const request = parseRequest(encodeRequest({ madeBy: this.role, context, schemes: OFFERED_SCHEMES, extensions }));
    this.outstanding.set(context.toString('latin1'), { request, kind, expiresMs: this.nowMs() + this.ttlMs });
    this.counts[kind]++;
    return request;
  }

  /** How many of our requests wait for an answer. */
  waiting(kind: RequestKind): number {
    return this.counts[kind];
  }

  /** Takes our open request with this context out: one attempt each. Undefined if there is none, it is of another kind, or too old. */
  take(kind: RequestKind, context: Uint8Array): AuthenticatorRequest | undefined {
    const key = Buffer.from(context).toString('latin1');
    const found = this.outstanding.get(key);
    if (!found || found.kind !== kind) return undefined;
    this.drop(key, found);
    return this.nowMs() > found.expiresMs ? undefined : found.request;
  }

  /** Claims a request of the other end before we answer it. Throws AUTHENTICATOR_INVALID if it is none of its, or was answered. */
  claim(kind: RequestKind, request: AuthenticatorRequest): void {
    const context = request.context;
    const first = (this.role === 'server' ? 0 : 2) | KIND_BIT[kind];
    if (context.length !== CONTEXT_BYTES || context[0] !== first || context[1] !== 0) {
      throw new SymbolonError('AUTHENTICATOR_INVALID', `the context of a ${kind} of the other end has another form`, { rule: 'context' });
    }
    if (!this.answered[kind].claim(context.readUIntBE(2, COUNTER_BYTES))) {
      throw new SymbolonError('AUTHENTICATOR_INVALID', `a ${kind} was answered before`, { rule: 'context-reuse' });
    }
  }

  /** Forgets requests that nobody answered in time. */
  sweep(): void {
    const now = this.nowMs();
    for (const [key, entry] of this.outstanding) {
      if (now <= entry.expiresMs) return; // insertion order is the order of expiry
      this.drop(key, entry);
    }
  }

  private drop(key: string, entry: Outstanding): void {
    if (this.outstanding.delete(key)) this.counts[entry.kind]--;
  }
}
