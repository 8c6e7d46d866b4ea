import { assertNever } from '#core/errors/error';
import type { Flow } from '#core/network/flow';
import { sameAddress } from '#core/network/address';
import type { Instant } from '#core/time/instant';
import type { CloseReason } from '../../session/contract.ts';
import { grantsCover, sameGrants } from '../../proof/grants.ts';
import {
  type Attempt,
  expiryOf,
  IDLE,
  type LivePair,
  type PairEffect,
  type PairEvent,
  type PairState,
  type PairStep,
  type PairView,
} from './pair-state.ts';
import { stepProven } from './step-proven.ts';
import { stepRefused } from './step-refused.ts';

/** Flows that wait for an exchange of the same ends; further ones are dropped and held anew when they try again. */
const MAX_WAITING = 64;

/**
 * What an event makes of a pair. Pure: `view` and `at` are this moment's, and effects must be carried out in order before the next event.
 * Nothing that the view refuses, or that the peer has closed, is ever installed.
 */
export function stepPair(state: PairState, event: PairEvent, view: PairView, at: Instant): PairStep {
  switch (event.kind) {
    case 'wanted':
      return stepWanted(state, event, view, at);
    case 'renew':
      return stepRenew(state, event.attempt);
    case 'proven':
      return stepProven(state, event, view, at);
    case 'refused':
      return stepRefused(state, event);
    case 'peer-closed':
      return stepPeerClosed(state, event);
    case 'view-changed':
      return stepViewChanged(state, view);
    case 'lapsed': {
      const pair = pairOf(state);
      return pair?.session === event.session ? drop(state, [{ kind: 'remove', pair, reason: 'lapsed' }]) : keep(state);
    }
    case 'expired': {
      const pair = pairOf(state);
      return pair && expiryOf(pair) <= at ? drop(state, [{ kind: 'remove', pair, reason: 'expired' }]) : keep(state);
    }
    case 'endpoint-gone': {
      const pair = pairOf(state);
      return { state: { kind: 'closed' }, effects: pair ? closing(pair, 'endpoint-gone') : [] };
    }
    default:
      return assertNever(event);
  }
}

function keep(state: PairState): PairStep {
  return { state, effects: [] };
}

function pairOf(state: PairState): LivePair | undefined {
  return state.kind === 'live' || state.kind === 'renewing' ? state.pair : undefined;
}

function closing(pair: LivePair, reason: CloseReason): readonly PairEffect[] {
  return [
    { kind: 'remove', pair, reason },
    { kind: 'tell-closed', pair, reason },
  ];
}

/** The pair is gone; an exchange that is under way goes on, and is judged when it ends. */
function drop(state: PairState, effects: readonly PairEffect[]): PairStep {
  if (state.kind === 'renewing') return { state: { kind: 'authenticating', attempt: state.attempt, waiting: state.waiting }, effects };
  return { state: IDLE, effects };
}

function sameFlow(a: Flow, b: Flow): boolean {
  return (
    a.protocol === b.protocol &&
    a.servicePort === b.servicePort &&
    sameAddress(a.source, b.source) &&
    sameAddress(a.destination, b.destination)
  );
}

function stepWanted(state: PairState, event: PairEvent & { kind: 'wanted' }, view: PairView, at: Instant): PairStep {
  const attempt: Attempt = { id: event.attempt, flow: event.flow, purpose: 'flow' };
  switch (state.kind) {
    case 'closed':
      return { state, effects: [{ kind: 'forget', flow: event.flow }] };
    case 'idle':
      return { state: { kind: 'authenticating', attempt, waiting: [] }, effects: [{ kind: 'authenticate', attempt }] };
    case 'authenticating':
    case 'renewing': {
      if (sameFlow(state.attempt.flow, event.flow) || state.waiting.some((flow) => sameFlow(flow, event.flow))) return keep(state);
      if (state.waiting.length >= MAX_WAITING) return { state, effects: [{ kind: 'forget', flow: event.flow }] };
      return keep({ ...state, waiting: [...state.waiting, event.flow] });
    }
    case 'live': {
      const { pair } = state;
      if (!view.leaseLives(pair.session) || expiryOf(pair) <= at) {
        // Removed before anything replaces it: what it carried must not come to life again.
        const effects: PairEffect[] = [
          { kind: 'remove', pair, reason: 'lapsed' },
          { kind: 'authenticate', attempt },
        ];
        return { state: { kind: 'authenticating', attempt, waiting: [] }, effects };
      }
      if (grantsCover(pair.grants, event.flow)) return { state, effects: [{ kind: 'install', pair }] };
      // Asked here first: an exchange that this end refuses in the end would cost the pair its rows at the peer.
      if (!view.allows(pair, event.flow)) return { state, effects: [{ kind: 'refuse', flow: event.flow, reason: 'denied-by-policy' }] };
      const effect: PairEffect = { kind: 'authenticate', attempt, replaces: pair.proven.pairId };
      return { state: { kind: 'renewing', pair, attempt, waiting: [] }, effects: [effect] };
    }
    default:
      return assertNever(state);
  }
}

function stepRenew(state: PairState, id: number): PairStep {
  if (state.kind !== 'live' || state.pair.proven.role !== 'client') return keep(state);
  const { pair } = state;
  const attempt: Attempt = { id, flow: pair.proven.flow, purpose: 'renewal' };
  return {
    state: { kind: 'renewing', pair, attempt, waiting: [] },
    effects: [{ kind: 'authenticate', attempt, replaces: pair.proven.pairId }],
  };
}

function stepPeerClosed(state: PairState, event: PairEvent & { kind: 'peer-closed' }): PairStep {
  const pair = pairOf(state);
  if (pair?.proven.pairId !== event.pairId) return keep(state);
  // A peer that has restarted knows none of its pairs: the client proves its own anew, the flows go on under the old lease meanwhile.
  if (event.reason === 'unknown-pair') return stepRenew(state, event.attempt);
  return drop(state, [{ kind: 'remove', pair, reason: event.reason }]);
}

function stepViewChanged(state: PairState, view: PairView): PairStep {
  const pair = pairOf(state);
  if (!pair || (state.kind !== 'live' && state.kind !== 'renewing')) return keep(state);
  const verdict = view.judge(pair);
  if (verdict.verdict === 'refused') return drop(state, closing(pair, verdict.reason));
  if (sameGrants(verdict.grants, pair.grants)) return keep(state);
  const narrowed: LivePair = { ...pair, grants: verdict.grants };
  return { state: { ...state, pair: narrowed }, effects: [{ kind: 'install', pair: narrowed }] };
}
