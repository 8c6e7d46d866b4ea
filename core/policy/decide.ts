import { type Flow, hasPorts, type Protocol } from '#core/network/flow';
import type { CompiledPolicies } from './compile.ts';
import { grantsOf } from './grants.ts';
import { coversOfMembers } from './membership.ts';
import type { AuthPolicy, Decision, Grant, Party, Side } from './model.ts';
import type { End, Rule } from './rule-table.ts';
import { type FlowClass, flowClassOf, portsOf, trafficCovers } from './traffic.ts';

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

/** As `mayEverAllow`, for what policies look at in a flow, by the rules that name the party at its end. */
function mayRulesAllow(rules: readonly Rule[], peer: End, asked: FlowClass): boolean {
  const carrying = rules.filter(({ policy }) => carries(policy, asked));
  const denied = new Set(carrying.filter(({ policy }) => policy.action === 'deny').flatMap((rule) => [...rule.keys[peer]]));
  return carrying.some(
    ({ policy }) =>
      policy.action === 'allow' &&
      coversOfMembers(peer === 'source' ? policy.sources : policy.destinations).some((covers) => !covers.some((key) => denied.has(key))),
  );
}

const endsOf = (side: Side): readonly [own: End, peer: End] => (side === 'egress' ? ['source', 'destination'] : ['destination', 'source']);

/**
 * Could this side allow the flow, if only the party at its own end is known (`egress`: the source, `ingress`: the destination)? False means that it may
 * be refused at once, without asking who the peer is; true, that some peer would be allowed.
 */
export function mayEverAllow(p: CompiledPolicies, side: Side, party: Party, flow: Flow): boolean {
  const [own, peer] = endsOf(side);
  return mayRulesAllow(p[side].naming(own, party), peer, flowClassOf(flow));
}

/** Where a grant's ports may begin to be decided otherwise. */
function classesOf({ protocol, lowPort, highPort }: Grant, family: 4 | 6, rules: readonly Rule[]): readonly FlowClass[] {
  const asked = { family, protocol: protocol as Protocol };
  if (!hasPorts(asked.protocol)) return [asked];
  const ranges = rules.flatMap(({ policy }) => policy.traffic.map((traffic) => portsOf(traffic, asked.protocol, family)));
  const edges = ranges.flatMap((range) => (range ? [range.low, range.high + 1] : []));
  const ports = new Set([Math.max(1, lowPort), ...edges.filter((port) => lowPort < port && port <= highPort)]);
  return [...ports].map((servicePort) => ({ ...asked, servicePort }));
}

/** Could this side allow any flow of the grants, if only the party at its own end is known? */
export function mayEverAllowSome(p: CompiledPolicies, side: Side, party: Party, family: 4 | 6, grants: readonly Grant[]): boolean {
  const [own, peer] = endsOf(side);
  const rules = p[side].naming(own, party);
  return grants.some((grant) => classesOf(grant, family, rules).some((asked) => mayRulesAllow(rules, peer, asked)));
}
