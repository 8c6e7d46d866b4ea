import type { Instant } from '#core/time/instant';
import type { CertificateAuthority } from '../ca/certificate-authority.ts';
import { type CertificationRequest, verifyCsr } from '../ca/csr.ts';
import type { IssuedSvid } from '../ca/issue.ts';
import type { Store } from '../store/store.ts';
import { attestByJoinToken, checkJoinToken } from './attest.ts';

/** What anybody at all may send: a join token, and a request for a certificate (PKCS#10, DER). */
export interface JoinRequest {
  readonly token: string;
  readonly csr: Uint8Array;
}

/** What a request to join must pass before the token is taken. The token comes first: who has none is not worth reading a certificate request. */
export interface JoinChecks {
  readonly token: (store: Store, token: string, at: Instant) => Promise<void>;
  readonly csr: (der: Uint8Array) => CertificationRequest;
}
export const JOIN_CHECKS: JoinChecks = { token: checkJoinToken, csr: verifyCsr };

/**
 * Makes the bearer of a join token the token's node. A token is looked for before anything is parsed, and taken after everything was: a damaged
 * request uses up none. Throws TOKEN_REFUSED, CSR_INVALID, PERMISSION_DENIED for a banned node.
 */
export async function join(
  store: Store,
  ca: CertificateAuthority,
  { token, csr }: JoinRequest,
  at: Instant,
  checks: JoinChecks = JOIN_CHECKS,
): Promise<{ readonly node: string; readonly svid: IssuedSvid }> {
  await checks.token(store, token, at);
  const { publicKey } = checks.csr(csr);
  return attestByJoinToken(store, ca, token, publicKey, at);
}
