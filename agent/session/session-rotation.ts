import type { Instant } from '#core/time/instant';
import type { Credential } from '../proof/contract.ts';
import type { SessionLink } from './session-link.ts';

/** The secrets of a session never change: it is replaced within an hour. */
const MAX_AGE_NS = 3_000_000_000_000n;
/** The acceptor waits longer, so that not both ends dial at once. */
const ACCEPTOR_PATIENCE_NS = 300_000_000_000n;
/** Before the peer node's SVID expires. Its successor is presented in a new session only. */
const BEFORE_EXPIRY_MS = 60_000;

/** Is it time for a successor: by age, because our SVID was renewed, or because the peer's is about to expire? */
export function rotationDue(link: SessionLink, credential: Credential, at: Instant, nowNs: bigint): boolean {
  const patience = link.session.side === 'dialled' ? 0n : ACCEPTOR_PATIENCE_NS;
  if (nowNs - link.openedNs > MAX_AGE_NS + patience) return true;
  // Not more often than every 10 s, should the SVIDs be that short.
  if (nowNs - link.openedNs < 10_000_000_000n) return false;
  return credential.svid.serialNumber !== link.credential.svid.serialNumber || link.session.peer.notAfter - at < BEFORE_EXPIRY_MS;
}
