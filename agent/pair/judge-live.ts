import { describeError } from '#core/errors/error';
import type { X509Svid } from '#core/spiffe/svid';
import type { EndpointId } from '../datapath/contract.ts';
import type { PairJudge, PairRefusal } from '../proof/contract.ts';
import type { CloseReason } from '../session/contract.ts';
import { flowOfGrant, intersectGrants } from '../proof/grants.ts';
import type { LivePair, PairVerdict } from './state/pair-state.ts';

export interface LiveJudge {
  readonly judge: PairJudge;
  /** The workload instance that has the address now. */
  readonly endpointOf: (pair: LivePair) => EndpointId | undefined;
  /** Verified SVIDs by leaf, for one round of judging many pairs. */
  readonly verified?: Map<string, X509Svid>;
}

function no(reason: CloseReason, refusal: PairRefusal, detail: string): PairVerdict {
  return { verdict: 'refused', reason, refusal, detail };
}

function verifyAgain(live: LiveJudge, peer: X509Svid): X509Svid {
  const key = Buffer.from(peer.chain[0] ?? []).toString('latin1');
  const known = live.verified?.get(key);
  if (known) return known;
  const svid = live.judge.verifySvid(peer.chain);
  live.verified?.set(key, svid);
  return svid;
}

/**
 * Would the pair be accepted by the view of this moment? Everything that was checked when it was proven is checked again, but for the
 * possession of keys. A pair whose own flow is no longer allowed lives on if another of its grants is.
 */
export function judgeLive(live: LiveJudge, pair: LivePair): PairVerdict {
  const { proven } = pair;
  const { flow, role } = proven;
  const local = live.judge.localWorkload(flow, role === 'client' ? 'source' : 'destination');
  if (!local || local === 'pending' || live.endpointOf(pair) !== pair.endpoint || local.svid.id !== proven.local.id) {
    return no('endpoint-gone', 'no-such-workload', `${proven.local.id} is no longer there`);
  }
  let peer: X509Svid;
  try {
    peer = verifyAgain(live, proven.peer);
  } catch (error) {
    return no('bundle-changed', 'svid-refused', describeError(error));
  }
  const peerEnd = role === 'client' ? 'destination' : 'source';
  let refusal = no('policy-changed', 'denied-by-policy', 'nothing is left of its grants');
  for (const candidate of [flow, ...pair.grants.map((grant) => flowOfGrant(flow, grant))]) {
    const verdict = live.judge.judge({ peerNode: pair.peerNode, peer, local: local.svid.id, flow: candidate, peerEnd });
    if (verdict.verdict === 'accepted') {
      const grants = role === 'client' ? intersectGrants(verdict.grants, proven.serverGrants) : verdict.grants;
      if (grants.length > 0) return { verdict: 'accepted', grants };
    } else if (verdict.reason === 'not-placed') {
      return no('placement-changed', verdict.reason, verdict.detail);
    } else {
      refusal = no('policy-changed', verdict.reason, verdict.detail);
    }
  }
  return refusal;
}
