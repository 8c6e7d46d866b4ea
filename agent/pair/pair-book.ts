import { assertNever, describeError, SymbolonError } from '#core/errors/error';
import type { Flow } from '#core/network/flow';
import type { SpiffeId } from '#core/spiffe/id';
import type { X509Svid } from '#core/spiffe/svid';
import { addMs, type Instant } from '#core/time/instant';
import type { Clock } from '#daemon/clock';
import type { Logger } from '#daemon/log';
import type { Datapath, EndpointId, PairSpec, SessionIndex } from '../datapath/contract.ts';
import type { PairJudge } from '../proof/contract.ts';
import type { CloseReason } from '../session/contract.ts';
import { endsKey, gateKeyOf, type PairEnds } from './ends.ts';
import { judgeLive } from './judge-live.ts';
import { type Attempt, IDLE, type LivePair, type PairEffect, type PairEvent, type PairState, type PairView } from './state/pair-state.ts';
import { stepPair } from './state/step-pair.ts';
import { reachOf } from './state/step-refused.ts';

/** How long a decided refusal answers further packets; `configure` clears it when policies change. */
const REFUSE_NS = 3_000_000_000n;
/** The same where it may be otherwise in a moment. */
const REFUSE_PASSING_NS = 1_000_000_000n;

/** A pair of ends with its state. */
export interface PairMachine {
  readonly key: string;
  readonly ends: PairEnds;
  state: PairState;
  /** When a live client pair is to be proven anew. */
  renewAt: Instant;
}

export interface PairBookParts {
  readonly datapath: Datapath;
  readonly judge: PairJudge;
  readonly endpointOf: (pair: PairEnds) => EndpointId | undefined;
  readonly leaseLives: (session: SessionIndex) => boolean;
  readonly tombstoned: (pairId: string) => boolean;
  /** Starts an exchange; ends in a dispatch of `proven` or `refused`. */
  readonly authenticate: (machine: PairMachine, attempt: Attempt, replaces?: string) => void;
  readonly tellClosed: (pair: LivePair, reason: CloseReason) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The step that effects belong to: the pair that was live when it began, and whether a peer waits for what comes of it. */
interface Step {
  readonly before: LivePair | undefined;
  readonly asked: boolean;
}

/** Every pair of this node: runs the pure steps and carries their effects out, in the same turn. */
export class PairBook {
  private readonly machines = new Map<string, PairMachine>();
  private readonly byPairId = new Map<string, Set<PairMachine>>();
  private readonly ofPeer = new Map<SpiffeId, number>();
  private nextNumber: number;
  private nextAttempt = 1;
  /** Lives for one round of judging everything. */
  private verified: Map<string, X509Svid> | undefined;

  constructor(private readonly parts: PairBookParts) {
    // Numbers of pairs that the pinned maps still hold are not given again.
    this.nextNumber = parts.datapath.found.pairs.reduce((highest, { spec }) => Math.max(highest, spec.pair), 0) + 1;
  }

  /** As of now: stepping one may add or remove others. */
  get all(): readonly PairMachine[] {
    return [...this.machines.values()];
  }

  newNumber(): number {
    const number = this.nextNumber;
    this.nextNumber = number >= 0xffff_ffff ? 1 : number + 1;
    return number;
  }

  newAttempt(): number {
    return this.nextAttempt++;
  }

  /** The machine of these ends; a new, idle one if there is none. */
  at(ends: PairEnds): PairMachine {
    const key = endsKey(ends);
    let machine = this.machines.get(key);
    if (!machine) {
      machine = { key, ends, state: IDLE, renewAt: Number.POSITIVE_INFINITY as Instant };
      this.machines.set(key, machine);
    }
    return machine;
  }

  /** Machines whose live pair has this id and peer node: one, or two where both workloads are here. */
  withPair(pairId: string, peerNode: SpiffeId): readonly PairMachine[] {
    return [...(this.byPairId.get(pairId) ?? [])].filter((machine) => livePair(machine)?.peerNode === peerNode);
  }

  /** How many live pairs there are with workloads of a node. */
  livePairsOf(peer: SpiffeId): number {
    return this.ofPeer.get(peer) ?? 0;
  }

  /** Steps every machine; SVIDs that several pairs share are verified once. */
  dispatchAll(event: PairEvent): void {
    this.verified = new Map();
    try {
      for (const machine of this.all) this.dispatch(machine, event);
    } finally {
      this.verified = undefined;
    }
  }

  /** Steps one machine and carries the effects out. Throws PAIR_REFUSED if what the peer proposed was denied or cannot be written. */
  dispatch(machine: PairMachine, event: PairEvent): void {
    const before = livePair(machine);
    const { state, effects } = stepPair(machine.state, event, this.view(), this.parts.clock.now());
    machine.state = state;
    this.reindex(machine, before);
    const asked = event.kind === 'proven' && event.attempt === undefined;
    for (const effect of effects) this.carryOut(machine, effect, { before, asked });
    if (machine.state.kind === 'idle' || machine.state.kind === 'closed') {
      if (this.machines.get(machine.key) === machine) this.machines.delete(machine.key);
    } else {
      this.machines.set(machine.key, machine);
    }
  }

  private view(): PairView {
    const { judge, tombstoned, leaseLives } = this.parts;
    const endpointOf = (pair: LivePair): EndpointId | undefined => this.parts.endpointOf(endsOfPair(pair));
    const { verified } = this;
    return {
      judge: (pair) => judgeLive({ judge, endpointOf, ...(verified && { verified }) }, pair),
      allows: (pair, flow) => this.allows(pair, flow),
      tombstoned,
      leaseLives,
    };
  }

  private allows(pair: LivePair, flow: Flow): boolean {
    const { peer, local } = pair.proven;
    const verdict = this.parts.judge.judge({ peerNode: pair.peerNode, peer, local: local.id, flow, peerEnd: 'destination' });
    return verdict.verdict === 'accepted';
  }

  private reindex(machine: PairMachine, before: LivePair | undefined): void {
    const after = livePair(machine);
    if (before?.proven.pairId === after?.proven.pairId) return;
    if (before) {
      this.ofPeer.set(before.peerNode, this.livePairsOf(before.peerNode) - 1);
      const set = this.byPairId.get(before.proven.pairId);
      set?.delete(machine);
      if (set?.size === 0) this.byPairId.delete(before.proven.pairId);
    }
    if (!after) return;
    this.ofPeer.set(after.peerNode, this.livePairsOf(after.peerNode) + 1);
    const { pairId, expiresAt } = after.proven;
    const set = this.byPairId.get(pairId);
    if (set) set.add(machine);
    else this.byPairId.set(pairId, new Set([machine]));
    // Spread over a fifth of the lifetime: pairs that began together do not all end together.
    const now = this.parts.clock.now();
    machine.renewAt = addMs(now, (expiresAt - now) * (0.6 + Math.random() / 5));
  }

  private carryOut(machine: PairMachine, effect: PairEffect, step: Step): void {
    const { datapath, log } = this.parts;
    switch (effect.kind) {
      case 'authenticate':
        return this.parts.authenticate(machine, effect.attempt, effect.replaces);
      case 'install':
        return this.install(machine, effect.pair, step);
      case 'remove':
        log.info({ pair: effect.pair.proven.pairId, reason: effect.reason }, 'pair closed');
        datapath.removePair(effect.pair.number);
        return;
      case 'tell-closed':
        return this.parts.tellClosed(effect.pair, effect.reason);
      case 'refuse': {
        const until = datapath.bootNs() + (reachOf(effect.reason) === 'passing' ? REFUSE_PASSING_NS : REFUSE_NS);
        return datapath.refuse(gateKeyOf(effect.flow, machine.ends.endpoint), effect.reason, until);
      }
      case 'forget':
        return datapath.forget(gateKeyOf(effect.flow, machine.ends.endpoint));
      case 'deny':
        throw new SymbolonError('PAIR_REFUSED', effect.detail, { reason: effect.reason });
      default:
        return assertNever(effect);
    }
  }

  private install(machine: PairMachine, pair: LivePair, { before, asked }: Step): void {
    const { datapath, log } = this.parts;
    try {
      datapath.installPair(this.specOf(pair));
    } catch (error) {
      log.error({ pair: pair.proven.pairId, problem: describeError(error) }, 'cannot write a pair into the gate');
      datapath.removePair(pair.number);
      // What it was to replace may be in the gate still, and no machine would know it: no policy could end it any more.
      if (before && before.number !== pair.number) {
        datapath.removePair(before.number);
        this.parts.tellClosed(before, 'policy-changed');
      }
      machine.state = IDLE;
      this.reindex(machine, pair);
      if (asked) throw new SymbolonError('PAIR_REFUSED', describeError(error), { reason: 'overloaded' }, error);
      this.parts.tellClosed(pair, 'policy-changed');
    }
  }

  private specOf(pair: LivePair): PairSpec {
    const { datapath, clock } = this.parts;
    const ends = endsOfPair(pair);
    const leftNs = BigInt(Math.max(0, Math.floor(pair.proven.expiresAt - clock.now()))) * 1_000_000n;
    return {
      pair: pair.number,
      realm: 0,
      ...ends,
      grants: pair.grants,
      session: pair.session,
      notAfterBootNs: datapath.bootNs() + leftNs,
    };
  }
}

/** The pair that is installed for a machine, or undefined. */
export function livePair(machine: PairMachine): LivePair | undefined {
  return machine.state.kind === 'live' || machine.state.kind === 'renewing' ? machine.state.pair : undefined;
}

/** The ends of a live pair, as its own node sees them. */
export function endsOfPair(pair: LivePair): PairEnds {
  const { flow, role } = pair.proven;
  const [local, remote] = role === 'client' ? [flow.source, flow.destination] : [flow.destination, flow.source];
  return { endpoint: pair.endpoint, local, remote, role };
}
