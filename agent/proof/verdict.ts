import { Verdict } from '#proto/gen/symbolon/agent/session';
import type { PairRefusal } from './contract.ts';

/** `session-lost` is never sent. */
const VERDICTS: Readonly<Record<Exclude<PairRefusal, 'session-lost'>, Verdict>> = {
  'no-credit': Verdict.VERDICT_NO_CREDIT,
  'bad-authenticator': Verdict.VERDICT_BAD_AUTHENTICATOR,
  'svid-refused': Verdict.VERDICT_SVID_REFUSED,
  'not-placed': Verdict.VERDICT_NOT_PLACED,
  'no-such-workload': Verdict.VERDICT_NO_SUCH_WORKLOAD,
  'not-ready': Verdict.VERDICT_NOT_READY,
  'denied-by-policy': Verdict.VERDICT_DENIED_BY_POLICY,
  overloaded: Verdict.VERDICT_OVERLOADED,
  unsupported: Verdict.VERDICT_UNSUPPORTED,
  internal: Verdict.VERDICT_INTERNAL,
};
const REFUSALS = new Map(Object.entries(VERDICTS).map(([reason, verdict]) => [verdict, reason as PairRefusal]));

export function verdictOf(reason: PairRefusal): Verdict {
  return reason === 'session-lost' ? Verdict.VERDICT_INTERNAL : VERDICTS[reason];
}

/** The refusal that a verdict means; an unknown verdict is a refusal too. */
export function refusalOf(verdict: Verdict): PairRefusal {
  return REFUSALS.get(verdict) ?? 'internal';
}
