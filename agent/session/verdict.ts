import { CloseReason as WireCloseReason, Verdict } from '#proto/gen/symbolon/agent/session';
import type { CloseReason, PairRefusal } from './contract.ts';

/** `session-lost` is never sent. */
const VERDICTS: Readonly<Record<Exclude<PairRefusal, 'session-lost'>, Verdict>> = {
  'no-credit': Verdict.VERDICT_NO_CREDIT,
  'bad-authenticator': Verdict.VERDICT_BAD_AUTHENTICATOR,
  'svid-refused': Verdict.VERDICT_SVID_REFUSED,
  'not-placed': Verdict.VERDICT_NOT_PLACED,
  'no-such-workload': Verdict.VERDICT_NO_SUCH_WORKLOAD,
  'denied-by-policy': Verdict.VERDICT_DENIED_BY_POLICY,
  overloaded: Verdict.VERDICT_OVERLOADED,
  unsupported: Verdict.VERDICT_UNSUPPORTED,
  internal: Verdict.VERDICT_INTERNAL,
};
const REFUSALS = new Map(Object.entries(VERDICTS).map(([reason, verdict]) => [verdict, reason as PairRefusal]));

const CLOSE_REASONS: Readonly<Record<CloseReason, WireCloseReason>> = {
  'endpoint-gone': WireCloseReason.CLOSE_REASON_ENDPOINT_GONE,
  'policy-changed': WireCloseReason.CLOSE_REASON_POLICY_CHANGED,
  'placement-changed': WireCloseReason.CLOSE_REASON_PLACEMENT_CHANGED,
  'bundle-changed': WireCloseReason.CLOSE_REASON_BUNDLE_CHANGED,
  replaced: WireCloseReason.CLOSE_REASON_REPLACED,
  shutdown: WireCloseReason.CLOSE_REASON_SHUTDOWN,
  'unknown-pair': WireCloseReason.CLOSE_REASON_UNKNOWN_PAIR,
};
const REASONS = new Map(Object.entries(CLOSE_REASONS).map(([reason, wire]) => [wire, reason as CloseReason]));

export function verdictOf(reason: PairRefusal): Verdict {
  return reason === 'session-lost' ? Verdict.VERDICT_INTERNAL : VERDICTS[reason];
}

/** The refusal that a verdict means; an unknown verdict is a refusal too. */
export function refusalOf(verdict: Verdict): PairRefusal {
  return REFUSALS.get(verdict) ?? 'internal';
}

export function wireCloseReason(reason: CloseReason): WireCloseReason {
  return CLOSE_REASONS[reason];
}

/** A reason that we do not know closes the pair all the same. */
export function closeReasonOf(wire: WireCloseReason): CloseReason {
  return REASONS.get(wire) ?? 'unknown-pair';
}
