import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { X509Svid } from '#core/spiffe/svid';
import { type Instant, instantFromMs } from '#core/time/instant';
import type { EndpointId, SessionIndex } from '../../datapath/contract.ts';
import { tcpFlow } from '../../session/testing/links.ts';
import { IDLE, type LivePair, type PairEffect, type PairEvent, type PairState, type PairView } from './pair-state.ts';
import { stepPair } from './step-pair.ts';

const LIFETIME_MS = 20;
const flow = (port: number) => tcpFlow('10.1.0.2', '10.2.0.2', port);

/** What may happen, in any order. Exchanges end as the world decides; `stale` ends one that is not under way. */
const ACTIONS = fc.oneof(
  fc.record({ do: fc.constant('want' as const), port: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    do: fc.constant('succeed' as const),
    stale: fc.boolean(),
    session: fc.integer({ min: 1, max: 4 }),
    ports: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({
    do: fc.constant('fail' as const),
    reason: fc.constantFrom('denied-by-policy' as const, 'not-placed' as const, 'session-lost' as const),
  }),
  fc.record({
    do: fc.constant('close' as const),
    early: fc.boolean(),
    reason: fc.constantFrom('policy-changed' as const, 'unknown-pair' as const),
  }),
  fc.record({ do: fc.constant('policy' as const), allowed: fc.boolean() }),
  fc.record({ do: fc.constant('lapse' as const), session: fc.integer({ min: 1, max: 4 }), noticed: fc.boolean() }),
  fc.record({ do: fc.constantFrom('renew' as const, 'tick' as const, 'gone' as const) }),
);
type Action = typeof ACTIONS extends fc.Arbitrary<infer A> ? A : never;

/** The gate, the peer and the view around one client pair. */
class World {
  state: PairState = IDLE;
  at = 1000;
  allowed = true;
  gone = false;
  installed: LivePair | undefined;
  readonly dead = new Set<number>();
  readonly tombstones = new Set<string>();
  /** Pairs that the peer believes live. */
  readonly atPeer = new Set<string>();
  private running: { readonly id: number } | undefined;
  private counter = 1;

  private readonly view: PairView = {
    judge: (pair) =>
      this.allowed && !this.gone
        ? { verdict: 'accepted', grants: pair.proven.grants }
        : { verdict: 'refused', reason: 'policy-changed', refusal: 'denied-by-policy', detail: '' },
    allows: () => this.allowed,
    tombstoned: (id) => this.tombstones.has(id),
    leaseLives: (session) => !this.dead.has(session),
  };

  run(action: Action): void {
    const next = this.counter++;
    this.at++;
    switch (action.do) {
      case 'want':
        return this.step({ kind: 'wanted', flow: flow(action.port), attempt: next });
      case 'succeed': {
        // A session whose lease has ended proves nothing any more.
        if ((!this.running && !action.stale) || this.dead.has(action.session)) return;
        const pair = this.newPair(next, action.session, action.ports);
        this.atPeer.add(pair.proven.pairId);
        const attempt = action.stale ? -1 : (this.running?.id ?? -1);
        if (!action.stale) this.running = undefined;
        return this.step({ kind: 'proven', attempt, pair, next });
      }
      case 'fail': {
        const attempt = this.running?.id;
        if (attempt === undefined) return;
        this.running = undefined;
        return this.step({ kind: 'refused', attempt, reason: action.reason, next });
      }
      case 'close': {
        // Early: of the pair that the exchange under way is about to make.
        const pairId = action.early ? `id-${this.counter}` : (this.installed?.proven.pairId ?? 'none');
        if (action.early) this.tombstones.add(pairId);
        if (action.reason !== 'unknown-pair') this.atPeer.delete(pairId);
        return this.step({ kind: 'peer-closed', pairId, reason: action.reason, attempt: next });
      }
      case 'policy':
        this.allowed = action.allowed;
        return this.step({ kind: 'view-changed' });
      case 'lapse':
        this.dead.add(action.session);
        // The gate knows at once; the agent when its timer fires.
        if (action.noticed) this.step({ kind: 'lapsed', session: action.session as SessionIndex });
        return;
      case 'renew':
        return this.step({ kind: 'renew', attempt: next });
      case 'tick':
        this.at += LIFETIME_MS / 2;
        return this.step({ kind: 'expired' });
      case 'gone':
        this.gone = true;
        return this.step({ kind: 'endpoint-gone' });
    }
  }

  private newPair(number: number, session: number, ports: number): LivePair {
    const grants = [{ protocol: 6, lowPort: 1, highPort: ports }];
    const svid = { id: 'spiffe://east.example/x' } as X509Svid;
    const expiresAt = instantFromMs(this.at + LIFETIME_MS);
    const proven = {
      pairId: `id-${number}`,
      role: 'client' as const,
      flow: flow(1),
      local: svid,
      peer: svid,
      grants,
      serverGrants: grants,
      expiresAt,
    };
    return { proven, number, endpoint: 1 as EndpointId, session: session as SessionIndex, peerNode: svid.id, grants };
  }

  private step(event: PairEvent): void {
    const { state, effects } = stepPair(this.state, event, this.view, this.at as Instant);
    this.state = state;
    for (const effect of effects) this.effect(effect);
    this.check();
  }

  private effect(effect: PairEffect): void {
    switch (effect.kind) {
      case 'install': {
        const { pairId, expiresAt } = effect.pair.proven;
        expect(this.allowed && !this.gone).toBe(true);
        expect(this.tombstones.has(pairId)).toBe(false);
        expect(expiresAt).toBeGreaterThan(this.at);
        // A pair of a dead lease is removed before it is replaced: else its flows would come back to life.
        if (this.installed) expect(this.dead.has(this.installed.session)).toBe(false);
        if (this.installed && this.installed !== effect.pair) this.atPeer.delete(this.installed.proven.pairId);
        this.installed = effect.pair;
        return;
      }
      case 'remove':
        expect(this.installed?.number).toBe(effect.pair.number);
        this.installed = undefined;
        // What lapses, expires or was closed by the peer lapses there too.
        if (effect.reason === 'lapsed' || effect.reason === 'expired') this.atPeer.delete(effect.pair.proven.pairId);
        return;
      case 'tell-closed':
        this.atPeer.delete(effect.pair.proven.pairId);
        return;
      case 'authenticate':
        expect(this.running).toBeUndefined();
        this.running = effect.attempt;
        return;
      case 'forget':
        for (const id of this.atPeer) if (this.tombstones.has(id)) this.atPeer.delete(id);
        return;
      case 'refuse':
        return;
      case 'deny':
        throw new Error('a client denies nothing');
    }
  }

  private check(): void {
    const { state } = this;
    const live = state.kind === 'live' || state.kind === 'renewing' ? state.pair.number : undefined;
    expect(live).toBe(this.installed?.number);
    if (state.kind === 'authenticating' || state.kind === 'renewing') expect(this.running?.id).toBe(state.attempt.id);
    if (!this.allowed || this.gone) expect(this.installed).toBeUndefined();
    // The peer holds nothing that this end does not: it would be served for nobody.
    expect([...this.atPeer].filter((id) => id !== this.installed?.proven.pairId)).toEqual([]);
  }
}

test('whatever happens in whatever order, only what is allowed is installed, and both ends agree', () => {
  fc.assert(
    fc.property(fc.array(ACTIONS, { maxLength: 60 }), (actions) => {
      const world = new World();
      for (const action of actions) world.run(action);
    }),
    { numRuns: 2000 },
  );
});
