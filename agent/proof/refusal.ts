import type { ErrorCode } from '#core/errors/codes';
import { describeError, isSymbolonError } from '#core/errors/error';
import type { PairRefusal, Refusal } from './contract.ts';

export function refused(reason: PairRefusal, detail: string): Refusal {
  return { verdict: 'refused', reason, detail };
}

const REASONS: ReadonlySet<string> = new Set<PairRefusal>([
  'no-credit',
  'bad-authenticator',
  'svid-refused',
  'not-placed',
  'no-such-workload',
  'not-ready',
  'denied-by-policy',
  'overloaded',
  'unsupported',
  'internal',
  'session-lost',
]);

const SVID_CODES: ReadonlySet<ErrorCode> = new Set([
  'SVID_INVALID',
  'SVID_UNTRUSTED',
  'SVID_EXPIRED',
  'CERTIFICATE_INVALID',
  'DER_INVALID',
  'SPIFFE_ID_INVALID',
  'TRUST_DOMAIN_INVALID',
  'BUNDLE_MISSING',
]);
const MESSAGE_CODES: ReadonlySet<ErrorCode> = new Set(['AUTHENTICATOR_INVALID', 'FLOW_INVALID', 'PROTOCOL_INVALID', 'ADDRESS_INVALID']);

/** The refusal that an error in the middle of an exchange amounts to. */
export function refusalOfError(error: unknown): Refusal {
  const detail = describeError(error);
  if (!isSymbolonError(error)) return refused('internal', detail);
  if (isSymbolonError(error, 'PAIR_REFUSED')) {
    const { reason } = error.context;
    return refused(REASONS.has(reason) ? (reason as PairRefusal) : 'internal', detail);
  }
  if (SVID_CODES.has(error.code)) return refused('svid-refused', detail);
  return refused(MESSAGE_CODES.has(error.code) ? 'bad-authenticator' : 'internal', detail);
}
