import { assertNever } from '#core/errors/error';
import type { PairEffect, PairEvent, PairState, PairStep } from './pair-state.ts';
import { withNext } from './step-proven.ts';

type Refused = PairEvent & { kind: 'refused' };

/** `port`: another port may fare better. `ends`: no flow between these ends will do. `passing`: it may be otherwise in a moment. */
export type Reach = 'port' | 'ends' | 'passing';

/** How much a refusal says. */
export function reachOf(reason: Refused['reason']): Reach {
  switch (reason) {
    case 'denied-by-policy':
      return 'port';
    case 'svid-refused':
    case 'not-placed':
    case 'no-such-workload':
    case 'unsupported':
    case 'bad-authenticator':
      return 'ends';
    case 'not-ready':
    case 'no-credit':
    case 'overloaded':
    case 'internal':
    case 'session-lost':
    case 'peer-unreachable':
      return 'passing';
    default:
      return assertNever(reason);
  }
}

/** An exchange ended without a pair. A live pair stands unless it is the pair itself that was refused for good. */
export function stepRefused(state: PairState, event: Refused): PairStep {
  if ((state.kind !== 'authenticating' && state.kind !== 'renewing') || state.attempt.id !== event.attempt) return { state, effects: [] };
  const { flow, purpose } = state.attempt;
  const reach = reachOf(event.reason);
  const pair = state.kind === 'renewing' ? state.pair : undefined;
  if (pair && purpose === 'renewal') {
    if (reach === 'passing') return withNext(pair, state.waiting, event.next, []);
    const closing: PairEffect[] = [
      { kind: 'remove', pair, reason: 'policy-changed' },
      { kind: 'tell-closed', pair, reason: 'policy-changed' },
    ];
    return withNext(undefined, state.waiting, event.next, closing);
  }
  const refuse: PairEffect = { kind: 'refuse', flow, reason: event.reason };
  if (reach === 'port') return withNext(pair, state.waiting, event.next, [refuse]);
  const others = state.waiting.map((waiting): PairEffect => ({ kind: 'refuse', flow: waiting, reason: event.reason }));
  return withNext(pair, [], event.next, [refuse, ...others]);
}
