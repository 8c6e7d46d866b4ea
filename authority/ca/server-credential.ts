import { generateKeyPairSync } from 'node:crypto';
import { authoritySpiffeId } from '#core/registration/node-id';
import type { Clock, Timer } from '#daemon/clock';
import type { TlsCredential } from '#daemon/tls/credential';
import type { CertificateAuthority } from './certificate-authority.ts';
import { issueSvid } from './issue.ts';

/** Lifetime of the authority's own SVID; its key is never written down, so a restart makes a new one. */
const SERVER_SVID_TTL_SECONDS = 24 * 3600;
/** After a failure. */
const RETRY_MS = 60_000;

/** A new key and an SVID with the authority's own ID. */
export async function issueServerCredential(ca: CertificateAuthority, clock: Clock): Promise<TlsCredential> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const id = authoritySpiffeId(ca.trustDomain);
  const { chain } = await issueSvid(ca, { id, publicKey, ttlSeconds: SERVER_SVID_TTL_SECONDS }, clock.now());
  return { chain, privateKey };
}

/** Replaces the credential whenever half of its life is over. */
export function keepServerCredential(
  ca: CertificateAuthority,
  clock: Clock,
  use: (credential: TlsCredential) => void,
  onError: (error: unknown) => void,
): Timer {
  let timer: Timer;
  const plan = (ms: number): void => {
    timer = clock.after(ms, () => {
      issueServerCredential(ca, clock).then(
        (credential) => {
          use(credential);
          plan((SERVER_SVID_TTL_SECONDS * 1000) / 2);
        },
        (error: unknown) => {
          onError(error);
          plan(RETRY_MS);
        },
      );
    });
  };
  plan((SERVER_SVID_TTL_SECONDS * 1000) / 2);
  return { cancel: () => timer.cancel() };
}
