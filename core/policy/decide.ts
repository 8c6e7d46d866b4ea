import type { Flow } from '#core/network/flow';
import type { CompiledPolicies } from './compile.ts';
import { grantsOf } from './grants.ts';
import { coversOfMembers } from './membership.ts';
import type { AuthPolicy, Decision, Party, Side } from './model.ts';
import { type FlowClass, flowClassOf, trafficCovers } from './traffic.ts';

const carries = (policy: AuthPolicy, flow: FlowClass): boolean => policy.traffic.some((traffic) => trafficCovers(traffic, flow));

/** As `decide`, for what policies look at in a flow. */
export function decideClass(p: CompiledPolicies, side: Side, from: Party, to: Party, flow: FlowClass): Decision {
  const policies = p[side].between(from, to).map((rule) => rule.policy);
  const carrying = policies.filter((policy) => carries(policy, flow));
  const denying = carrying.find((policy) => policy.action === 'deny');
  if (denying !== undefined) return { verdict: 'deny', rule: denying.name };
  const allowing = carrying.find((policy) => policy.action === 'allow');
  if (allowing === undefined) return { verdict: 'deny' };
  return { verdict: 'allow', rule: allowing.name, protection: allowing.protection, grants: grantsOf(policies, flow) };
}

/**
 * The verdict of one side about a flow from one party to another: any matching deny wins, else any matching allow, else deny. `egress` is asked at the
 * source's node, `ingress` at the destination's; a flow passes only if both allow. `rule` is the name of the deciding policy (the first by name, where
 * several agree). `grants` is all that this side allows between the two parties in the flow's family, the flow itself included.
 */
export function decide(p: CompiledPolicies, side: Side, from: Party, to: Party, flow: Flow): Decision {
  return decideClass(p, side, from, to, flowClassOf(flow));
}

/**
 * Could this side allow the flow, if only the party at its own end is known (`egress`: the source, `ingress`: the destination)? False means that it may
 * be refused at once, without asking who the peer is; true, that some peer would be allowed.
 */
export function mayEverAllow(p: CompiledPolicies, side: Side, party: Party, flow: Flow): boolean {
  const [end, peer] = side === 'egress' ? (['source', 'destination'] as const) : (['destination', 'source'] as const);
  const asked = flowClassOf(flow);
  const rules = p[side].naming(end, party).filter(({ policy }) => carries(policy, asked));
  const denied = new Set(rules.filter(({ policy }) => policy.action === 'deny').flatMap((rule) => [...rule.keys[peer]]));
  return rules.some(
    ({ policy }) =>
      policy.action === 'allow' &&
      coversOfMembers(peer === 'source' ? policy.sources : policy.destinations).some((covers) => !covers.some((key) => denied.has(key))),
  );
}
