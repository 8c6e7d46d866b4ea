import { describeError } from '#core/errors/error';
import { type CompiledPolicies } from '#core/policy/compile';
import { decide } from '#core/policy/decide';
import type { Decision } from '#core/policy/model';
import type { NodeDirectory } from '#core/registration/directory';
import { maySpeakFor } from '#core/registration/placement';
import type { JudgedPair, Judgement } from '../proof/contract.ts';
import { refused } from '../proof/refusal.ts';

/** What a verdict rests on: swapped whole with every revision. */
export interface JudgedView {
  readonly directory: NodeDirectory;
  readonly policies: CompiledPolicies;
}

function describeDeny(decision: Decision & { verdict: 'deny' }, side: string): string {
  return decision.rule === undefined ? `no policy allows it (${side})` : `policy ${decision.rule} denies it (${side})`;
}

/**
 * The checks before a pair is written (docs/explanation/pair-authentication.md) that need the node's view: may the peer's node speak for that workload at that address (placement), and does this
 * node's side of the policies allow the flow: `ingress` where the peer is the source, `egress` where it is the destination.
 */
export function judgePair(view: JudgedView, pair: JudgedPair): Judgement {
  const peerAddress = pair.peerEnd === 'source' ? pair.flow.source : pair.flow.destination;
  const placement = maySpeakFor(view.directory, pair.peerNode, pair.peer.issuedToNode, peerAddress);
  if (placement !== undefined)
    return refused('not-placed', `${pair.peerNode} may not speak for ${pair.peer.id} at ${peerAddress.text}: ${placement}`);
  const side = pair.peerEnd === 'source' ? 'ingress' : 'egress';
  const [from, to] = pair.peerEnd === 'source' ? [pair.peer.id, pair.local] : [pair.local, pair.peer.id];
  try {
    const decision = decide(view.policies, side, { kind: 'workload', id: from }, { kind: 'workload', id: to }, pair.flow);
    if (decision.verdict === 'deny') return refused('denied-by-policy', describeDeny(decision, side));
    return { verdict: 'accepted', grants: decision.grants };
  } catch (error) {
    return refused('internal', describeError(error));
  }
}
