import type { AuthenticatorRequest, TlsRole } from '../proof/authenticator/message.ts';
import { parseRequest } from '../proof/authenticator/parse.ts';

/** Credits beyond these are not kept: the peer decides how many it issues. */
const MAX_HELD = 1024;
/** A credit is not used in its last moments: it would expire on the way. */
const MARGIN_MS = 2000;
/** The longest that a credit is believed to last, whatever the peer says. */
const MAX_TTL_MS = 600_000;

/** The credits that the peer has issued to this end: authenticator requests, each for one attempt. */
export class CreditPurse {
  private readonly held: { readonly request: AuthenticatorRequest; readonly untilMs: number }[] = [];
  private waiting: (() => void)[] = [];

  constructor(
    private readonly peerRole: TlsRole,
    private readonly nowMs: () => number,
  ) {}

  /** Throws AUTHENTICATOR_INVALID for a credit that is no request of the peer. */
  add(requests: readonly Uint8Array[], ttlMs: number): void {
    const untilMs = this.nowMs() + Math.min(ttlMs, MAX_TTL_MS) - MARGIN_MS;
    for (const bytes of requests) {
      const request = parseRequest(bytes);
      if (request.madeBy === this.peerRole && this.held.length < MAX_HELD) this.held.push({ request, untilMs });
    }
    if (requests.length > 0) this.wake();
  }

  /** The oldest that still holds, or undefined. */
  take(): AuthenticatorRequest | undefined {
    for (let next = this.held.shift(); next; next = this.held.shift()) {
      if (this.nowMs() < next.untilMs) return next.request;
    }
    return undefined;
  }

  /** Resolves when credits have arrived, or the session ended. */
  arrived(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Lets everybody who waits look again. */
  wake(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}
