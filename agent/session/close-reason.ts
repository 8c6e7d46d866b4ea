import { CloseReason as WireCloseReason } from '#proto/gen/symbolon/agent/session';
import type { CloseReason } from './contract.ts';

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

export function wireCloseReason(reason: CloseReason): WireCloseReason {
  return CLOSE_REASONS[reason];
}

/** A reason that we do not know closes the pair all the same. */
export function closeReasonOf(wire: WireCloseReason): CloseReason {
  return REASONS.get(wire) ?? 'unknown-pair';
}
