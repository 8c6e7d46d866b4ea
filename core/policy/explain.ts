import { SymbolonError } from '#core/errors/error';
import { hasPorts } from '#core/network/flow';
import { type SpiffeId, trustDomainOf } from '#core/spiffe/id';
import type { CompiledPolicies } from './compile.ts';
import { decideClass } from './decide.ts';
import { type EnforcedEnd, requirementOf } from './enforcement.ts';
import type { Decision, Side, Traffic } from './model.ts';
import { type FlowClass, protocolOf } from './traffic.ts';

/** One end of the connection that is asked about. `id` undefined: no identity is declared for it; `node` undefined: on no declared node. */
export interface ExplainedEnd extends EnforcedEnd {
  /** What people call it: an ID, a name, an address. */
  readonly label: string;
  readonly id?: SpiffeId;
  readonly node?: SpiffeId;
}

export interface Question {
  readonly source: ExplainedEnd;
  readonly destination: ExplainedEnd;
  /** One port or one protocol: `tcp/8443`, `icmp`. */
  readonly traffic: Traffic;
  readonly family: 4 | 6;
  /** The policies of the source's trust domain, and of the destination's. */
  readonly egress: CompiledPolicies;
  readonly ingress: CompiledPolicies;
}

/** What one side says. `node` is where it is enforced. */
export interface SideAnswer {
  readonly side: Side;
  readonly node?: SpiffeId;
  readonly decision: Decision;
}

/** The answer to "may this pass": `free` = nothing looks at it. `missing` says in plain words what to declare or change; empty if it passes. */
export interface Explanation {
  readonly verdict: 'allowed' | 'free' | 'refused';
  /** Whether the two ends could prove themselves to each other, whatever the policies say. */
  readonly authenticates: boolean;
  readonly sides: readonly SideAnswer[];
  readonly missing: readonly string[];
}

function askedFlow(traffic: Traffic, family: 4 | 6): FlowClass {
  const protocol = protocolOf(traffic, family);
  if (protocol === undefined || traffic.lowPort !== traffic.highPort) {
    throw new SymbolonError('TRAFFIC_INVALID', `cannot explain ${traffic.text} as a whole; ask about one port, like tcp/8443, or icmp`, {
      value: traffic.text,
    });
  }
  return hasPorts(protocol) ? { family, protocol, servicePort: traffic.lowPort ?? 0 } : { family, protocol };
}

function missingProof(end: ExplainedEnd): readonly string[] {
  if (end.id === undefined) return [`an identity for ${end.label}: nothing declares it, so it can prove nothing`];
  if (end.enforcement === 'off') return [`enforcement for ${end.id}: it is off, so the workload is not authenticated`];
  if (end.node === undefined) return [`a node for ${end.id}: no declared node runs it`];
  return end.inDirectory ? [] : [`an address of ${end.id} in the node directory: none of its node's address prefixes covers it`];
}

function missingTrust(source: SpiffeId, destination: SpiffeId): readonly string[] {
  const [from, to] = [trustDomainOf(source), trustDomainOf(destination)];
  return from === to ? [] : [`a federation of ${from} with ${to}: neither trusts the other's identities (not yet supported)`];
}

function missingPolicy({ side, decision }: SideAnswer, question: Question): readonly string[] {
  if (decision.verdict === 'allow') return [];
  if (decision.rule !== undefined) return [`policy ${decision.rule} denies it (${side}); a deny wins over every allow`];
  const domain = trustDomainOf((side === 'egress' ? question.source.id : question.destination.id) as SpiffeId);
  const at = side === 'egress' ? "the source's" : "the destination's";
  return [
    `a policy in ${domain} that allows ${question.traffic.text} from ${question.source.label} to ${question.destination.label} (${side}, at ${at} node)`,
  ];
}

function sideAnswers(question: Question, from: SpiffeId, to: SpiffeId): readonly SideAnswer[] {
  const flow = askedFlow(question.traffic, question.family);
  return (['egress', 'ingress'] as const).map((side) => {
    const { node } = side === 'egress' ? question.source : question.destination;
    const decision = decideClass(question[side], side, { kind: 'workload', id: from }, { kind: 'workload', id: to }, flow);
    return node === undefined ? { side, decision } : { side, node, decision };
  });
}

/**
 * Why a connection would pass or not: would the two ends authenticate, which policy decides on each side, and what is missing. Throws TRAFFIC_INVALID
 * for a question about more than one port or protocol.
 */
export function explain(question: Question): Explanation {
  const { source, destination } = question;
  askedFlow(question.traffic, question.family);
  if (requirementOf(source, destination).kind === 'none') return { verdict: 'free', authenticates: false, sides: [], missing: [] };
  const unproven = [...missingProof(source), ...missingProof(destination)];
  if (source.id === undefined || destination.id === undefined)
    return { verdict: 'refused', authenticates: false, sides: [], missing: unproven };
  unproven.push(...missingTrust(source.id, destination.id));
  const sides = sideAnswers(question, source.id, destination.id);
  const missing = [...unproven, ...sides.flatMap((answer) => missingPolicy(answer, question))];
  return { verdict: missing.length === 0 ? 'allowed' : 'refused', authenticates: unproven.length === 0, sides, missing };
}
