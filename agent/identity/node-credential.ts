import { createPublicKey } from 'node:crypto';
import type { ErrorCode } from '#core/errors/codes';
import { isSymbolonError, SymbolonError } from '#core/errors/error';
import { isNodeOf } from '#core/registration/node-id';
import type { BundleSet } from '#core/spiffe/bundle';
import type { TrustDomain } from '#core/spiffe/id';
import { verifyX509Svid } from '#core/spiffe/verify';
import type { Instant } from '#core/time/instant';
import type { Clock } from '#daemon/clock';
import type { Logger } from '#daemon/log';
import type { TlsCredential } from '#daemon/tls/credential';
import type { Credential } from '../proof/contract.ts';
import type { AuthorityClient } from './authority-client.ts';
import { Backoff } from './backoff.ts';
import { createCsr, newPrivateKey } from './csr.ts';
import type { NodeFiles } from './node-files.ts';

/** A credential whose certificate is for this very key and verifies at the moment. Throws the verification's error, SVID_INVALID. */
export function checkCredential({ chain, privateKey }: TlsCredential, bundles: BundleSet, at: Instant): Credential {
  const svid = verifyX509Svid(chain, bundles, at);
  if (createPublicKey(privateKey).equals(svid.publicKey)) return { svid, privateKey };
  throw new SymbolonError('SVID_INVALID', `the certificate of ${svid.id} is for another key`, { rule: 'key', spiffeId: svid.id });
}

/** Like checkCredential, for a node of the trust domain. */
export function checkNodeCredential(credential: TlsCredential, trustDomain: TrustDomain, bundles: BundleSet, at: Instant): Credential {
  const checked = checkCredential(credential, bundles, at);
  const { id } = checked.svid;
  if (isNodeOf(id, trustDomain)) return checked;
  throw new SymbolonError('SVID_INVALID', `${id} is not a node of the trust domain ${trustDomain}`, { rule: 'node', spiffeId: id });
}

export interface JoinOptions {
  readonly trustDomain: TrustDomain;
  readonly client: AuthorityClient;
  readonly files: NodeFiles;
  readonly bundles: () => BundleSet;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  /** Ends the attempts. */
  readonly signal: AbortSignal;
}

function loadCredential(options: JoinOptions): Credential | undefined {
  try {
    const stored = options.files.loadCredential();
    return stored && checkNodeCredential(stored, options.trustDomain, options.bundles(), options.clock.now());
  } catch (error) {
    options.log.warn({ error }, 'the stored node credential cannot be used');
    return undefined;
  }
}

function pause(ms: number, { clock, signal }: JoinOptions): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(ms, resolve);
    signal.addEventListener('abort', () => (timer.cancel(), resolve()), { once: true });
  });
}

const TRANSIENT: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'TIMEOUT', 'BUSY']);

/** True for failures that another attempt may not meet. */
function isTransient(error: unknown): boolean {
  return isSymbolonError(error) && TRANSIENT.has(error.code);
}

/**
 * The node's credential: the stored one if it is still valid, else a new one for the one-time token. Waits for an authority that cannot be
 * reached. Throws CONFIG_INVALID where a token is needed and there is none; what the authority answers, if it refuses.
 */
export async function obtainNodeCredential(options: JoinOptions, token: string | undefined): Promise<Credential> {
  const stored = loadCredential(options);
  if (stored) return stored;
  if (token === undefined) {
    throw new SymbolonError(
      'CONFIG_INVALID',
      'this node has no valid SVID and no join token was given; mint a token for the node at the authority and start the agent with it',
      { path: '--join-token-file', value: '' },
    );
  }
  const backoff = new Backoff(500, 10_000, options.random);
  for (;;) {
    try {
      const privateKey = newPrivateKey();
      const chain = await options.client.join(token, createCsr(privateKey));
      const credential = checkNodeCredential({ chain, privateKey }, options.trustDomain, options.bundles(), options.clock.now());
      options.files.saveCredential({ chain, privateKey });
      options.log.info({ nodeId: credential.svid.id, serialNumber: credential.svid.serialNumber }, 'joined the trust domain');
      return credential;
    } catch (error) {
      if (!isTransient(error) || options.signal.aborted) throw error;
      options.log.warn({ error }, 'the authority cannot be reached to join; trying again');
      await pause(backoff.next(), options);
    }
  }
}
