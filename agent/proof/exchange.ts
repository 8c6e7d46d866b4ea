import type { X509Svid } from '#core/spiffe/svid';
import { earliest, type Instant, addMs } from '#core/time/instant';
import type { AuthenticatorSecrets } from './authenticator/secrets.ts';
import type { ContextLedger } from './ledger.ts';
import type { PairJudge } from './contract.ts';

/** What the exchanges of one node session share. */
export interface ExchangeContext {
  readonly secrets: AuthenticatorSecrets;
  readonly ledger: ContextLedger;
  readonly judge: PairJudge;
  readonly peerNode: X509Svid;
  readonly now: () => Instant;
  /** An ephemeral X25519 agreement for every pair that this end starts. */
  readonly forwardSecrecy: boolean;
}

/** When a pair that is proven now must be proven again. */
export function pairExpiry(x: ExchangeContext, lifetimeSeconds: number, local: X509Svid, peer: X509Svid): Instant {
  const seconds = Math.min(lifetimeSeconds, x.judge.lifetimeSeconds);
  return earliest(addMs(x.now(), seconds * 1000), local.notAfter, peer.notAfter, x.peerNode.notAfter);
}
