import type { AuthPolicy, Side } from './model.ts';
import { RuleTable } from './rule-table.ts';
import { checkSupported } from './supported.ts';

/** Policies made ready for `decide`: one table for each side. Immutable. */
export interface CompiledPolicies {
  readonly egress: RuleTable;
  readonly ingress: RuleTable;
}

const orderKey = (policy: AuthPolicy): string => `${policy.name} ${policy.trustDomain} ${policy.id}`;

function tableOf(policies: readonly AuthPolicy[], side: Side): RuleTable {
  return new RuleTable(policies.filter((policy) => policy.side === 'both' || policy.side === side));
}

/**
 * Makes policies ready for `decide`. Their order does not matter. Throws POLICY_NOT_YET for a policy that demands what cannot be enforced yet: to
 * read it as a weaker one would open what it closes.
 */
export function compile(policies: readonly AuthPolicy[]): CompiledPolicies {
  for (const policy of policies) checkSupported(policy);
  const ordered = policies.map((policy) => ({ policy, key: orderKey(policy) }));
  ordered.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const sorted = ordered.map(({ policy }) => policy);
  return { egress: tableOf(sorted, 'egress'), ingress: tableOf(sorted, 'ingress') };
}
