import type { Flow } from '#core/network/flow';
import type { Instant } from '#core/time/instant';
import { grantsCover } from '../../proof/grants.ts';
import {
  type Attempt,
  expiryOf,
  IDLE,
  type LivePair,
  type PairEffect,
  type PairEvent,
  type PairState,
  type PairStep,
  type PairVerdict,
  type PairView,
} from './pair-state.ts';

/**
 * An exchange ended well. Between its end and this moment anything may have happened: the peer may have closed the pair, the view may refuse
 * it, the exchange may be nobody's any more. Checked here, in the turn in which the rows are written.
 */
export function stepProven(state: PairState, event: PairEvent & { kind: 'proven' }, view: PairView, at: Instant): PairStep {
  return event.attempt === undefined ? admit(state, event.pair, view, at) : conclude(state, { ...event, attempt: event.attempt }, view, at);
}

function verdictNow(pair: LivePair, view: PairView, at: Instant): PairVerdict {
  if (expiryOf(pair) <= at)
    return { verdict: 'refused', reason: 'bundle-changed', refusal: 'svid-refused', detail: 'an SVID of the pair has expired' };
  return view.judge(pair);
}

function livePairOf(state: PairState): LivePair | undefined {
  return state.kind === 'live' || state.kind === 'renewing' ? state.pair : undefined;
}

function sameWorkloads(a: LivePair, b: LivePair): boolean {
  return a.endpoint === b.endpoint && a.proven.local.id === b.proven.local.id && a.proven.peer.id === b.proven.peer.id;
}

/**
 * Rows of a dead lease are removed first, and those of other workloads, whose end the peer may not have told yet: what takes their place must be
 * another epoch, so that their flows are dead.
 */
function installOver(old: LivePair | undefined, pair: LivePair, view: PairView, at: Instant): PairEffect[] {
  const install: PairEffect = { kind: 'install', pair };
  if (!old) return [install];
  if (!view.leaseLives(old.session) || expiryOf(old) <= at) return [{ kind: 'remove', pair: old, reason: 'lapsed' }, install];
  return sameWorkloads(old, pair) ? [install] : [{ kind: 'remove', pair: old, reason: 'replaced' }, install];
}

/** The peer's exchange: this end serves. */
function admit(state: PairState, proposed: LivePair, view: PairView, at: Instant): PairStep {
  const deny = (reason: PairVerdict & { verdict: 'refused' }): PairStep => ({
    state,
    effects: [{ kind: 'deny', reason: reason.refusal, detail: reason.detail }],
  });
  const gone = { verdict: 'refused', reason: 'endpoint-gone', refusal: 'no-such-workload', detail: 'the workload is gone' } as const;
  if (state.kind === 'closed') return deny(gone);
  const verdict = verdictNow(proposed, view, at);
  if (verdict.verdict === 'refused') return deny(verdict);
  const pair: LivePair = { ...proposed, grants: verdict.grants };
  return { state: { kind: 'live', pair }, effects: installOver(livePairOf(state), pair, view, at) };
}

/** This end's own exchange. */
function conclude(
  state: PairState,
  event: { readonly attempt: number; readonly pair: LivePair; readonly next: number },
  view: PairView,
  at: Instant,
): PairStep {
  const { pair: proposed, next } = event;
  if ((state.kind !== 'authenticating' && state.kind !== 'renewing') || state.attempt.id !== event.attempt) {
    return { state, effects: [{ kind: 'tell-closed', pair: proposed, reason: state.kind === 'closed' ? 'endpoint-gone' : 'replaced' }] };
  }
  const old = livePairOf(state);
  const { flow } = state.attempt;
  if (view.tombstoned(proposed.proven.pairId)) return withNext(old, state.waiting, next, [{ kind: 'forget', flow }]);
  const verdict = verdictNow(proposed, view, at);
  if (verdict.verdict === 'refused') {
    const effects: PairEffect[] = [
      { kind: 'tell-closed', pair: proposed, reason: verdict.reason },
      { kind: 'refuse', flow, reason: verdict.refusal },
    ];
    return withNext(old, state.waiting, next, effects);
  }
  const pair: LivePair = { ...proposed, grants: verdict.grants };
  return withNext(pair, state.waiting, next, installOver(old, pair, view, at));
}

/** Where an exchange has ended: a flow that waits and that the pair does not cover gets the next one. */
export function withNext(pair: LivePair | undefined, waiting: readonly Flow[], next: number, effects: readonly PairEffect[]): PairStep {
  const left = pair ? waiting.filter((flow) => !grantsCover(pair.grants, flow)) : waiting;
  const [flow, ...rest] = left;
  if (!flow) return { state: pair ? { kind: 'live', pair } : IDLE, effects };
  const attempt: Attempt = { id: next, flow, purpose: 'flow' };
  if (!pair) return { state: { kind: 'authenticating', attempt, waiting: rest }, effects: [...effects, { kind: 'authenticate', attempt }] };
  const start: PairEffect = { kind: 'authenticate', attempt, replaces: pair.proven.pairId };
  return { state: { kind: 'renewing', pair, attempt, waiting: rest }, effects: [...effects, start] };
}
