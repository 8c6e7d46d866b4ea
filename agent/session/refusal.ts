import { describeError, isSymbolonError } from '#core/errors/error';
import type { PairRefusal } from './contract.ts';

export interface Refusal {
  readonly verdict: 'refused';
  readonly reason: PairRefusal;
  readonly detail: string;
}

export function refused(reason: PairRefusal, detail: string): Refusal {
  return { verdict: 'refused', reason, detail };
}

const REASONS: ReadonlySet<string> = new Set<PairRefusal>([
  'no-credit',
  'bad-authenticator',
  'svid-refused',
  'not-placed',
  'no-such-workload',
  'denied-by-policy',
  'overloaded',
  'unsupported',
  'internal',
  'session-lost',
]);

/** The refusal that an error in the middle of an exchange amounts to. */
export function refusalOfError(error: unknown): Refusal {
  const detail = describeError(error);
  if (!isSymbolonError(error)) return refused('internal', detail);
  if (isSymbolonError(error, 'PAIR_REFUSED')) {
    const { reason } = error.context;
    return refused(REASONS.has(reason) ? (reason as PairRefusal) : 'internal', detail);
  }
  switch (error.code) {
    case 'AUTHENTICATOR_INVALID':
    case 'FLOW_INVALID':
    case 'PROTOCOL_INVALID':
    case 'ADDRESS_INVALID':
      return refused('bad-authenticator', detail);
    case 'SVID_INVALID':
    case 'SVID_UNTRUSTED':
    case 'SVID_EXPIRED':
    case 'CERTIFICATE_INVALID':
    case 'DER_INVALID':
    case 'SPIFFE_ID_INVALID':
    case 'TRUST_DOMAIN_INVALID':
    case 'BUNDLE_MISSING':
      return refused('svid-refused', detail);
    default:
      return refused('internal', detail);
  }
}
