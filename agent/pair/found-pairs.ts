import type { Flow } from '#core/network/flow';
import type { IpAddress } from '#core/network/address';
import type { Grant } from '#core/policy/model';
import type { Datapath, EndpointId, FoundPair, PairSpec } from '../datapath/contract.ts';
import { flowOfGrant } from '../proof/grants.ts';
import { claimOf, endsKey, type PairEnds } from './ends.ts';
import { LOCAL_LEASE_NS } from './local-lease.ts';
import type { PairBook } from './pair-book.ts';
import type { Reach } from './state/step-refused.ts';
import { RECEIVE_LEASE_NS } from '../session/session-lease.ts';

/** After a refusal that may be otherwise in a moment. */
const RETRY_NS = 1_000_000_000n;

interface Waiting extends FoundPair {
  /** The grants that have not been refused. */
  readonly grants: readonly Grant[];
  readonly notBeforeNs: bigint;
}

function isFirst(grant: Grant, flow: Flow): boolean {
  const first = flowOfGrant(flow, grant);
  return first.protocol === flow.protocol && first.servicePort === flow.servicePort;
}

/**
 * Pairs that an earlier agent of this node left in the gate. Their proofs are gone with it: those that a local client started are proven
 * anew under the rest of their lease, so that their flows go on; whatever is refused, or was not proven by its end, is removed.
 */
export class FoundPairs {
  private readonly waiting: Map<string, Waiting>;
  /** By role and addresses: the other end of a pair within the node is found so. */
  private readonly byAddresses: ReadonlyMap<string, string>;
  private readonly openedNs: bigint;

  constructor(
    private readonly datapath: Datapath,
    private readonly book: PairBook,
    private readonly endpointOf: (ends: PairEnds) => EndpointId | undefined,
    /** Where the directory says that an address is; undefined before there is one. */
    private readonly whereIs: (address: IpAddress) => 'here' | 'elsewhere' | undefined,
    /** False where the present workloads, directory or policies leave no room for the pair, whoever its peer is. */
    private readonly mayStand: (found: PairSpec) => boolean,
  ) {
    this.waiting = new Map(
      datapath.found.pairs.map((pair) => [endsKey(pair.spec), { ...pair, grants: pair.spec.grants, notBeforeNs: 0n }]),
    );
    this.byAddresses = new Map(datapath.found.pairs.map(({ spec }) => [claimOf(spec), endsKey(spec)]));
    this.openedNs = datapath.bootNs();
  }

  /** Whether the pair that was found between these ends still waits for its proof. */
  has(ends: PairEnds): boolean {
    return this.waiting.has(endsKey(ends));
  }

  /** Whether a proof was refused in passing, and is tried again. */
  isTriedAgain(ends: PairEnds): boolean {
    return (this.waiting.get(endsKey(ends))?.notBeforeNs ?? 0n) > 0n;
  }

  /** Removes what can be proven by nobody any more, and starts the proofs of the others. */
  viewChanged(): void {
    for (const [key, pair] of this.waiting) if (!this.mayStand(pair.spec)) this.remove(key, pair);
    this.resume();
  }

  /** Starts the proofs of those whose workload is known by now, and of those that were refused in passing. */
  resume(): void {
    const nowNs = this.datapath.bootNs();
    for (const pair of this.waiting.values()) {
      const { spec, grants, notBeforeNs } = pair;
      const [grant] = grants;
      if (spec.role !== 'client' || !grant || nowNs < notBeforeNs) continue;
      if (this.endpointOf(spec) !== spec.endpoint || !this.whereIs(spec.remote)) continue;
      const machine = this.book.at(spec);
      if (machine.state.kind !== 'idle') continue;
      this.book.dispatch(machine, {
        kind: 'wanted',
        flow: flowOfGrant({ source: spec.local, destination: spec.remote }, grant),
        attempt: this.book.newAttempt(),
      });
    }
  }

  /** The pair that was found has been replaced by one that is proven. */
  proven(ends: PairEnds): void {
    this.waiting.delete(endsKey(ends));
  }

  /** An exchange for a flow between these ends was refused: another grant is tried, or the same again, or the pair is removed. */
  refused(ends: PairEnds, flow: Flow, reach: Reach): void {
    const key = endsKey(ends);
    const pair = this.waiting.get(key);
    if (!pair) return;
    if (reach === 'passing') {
      this.waiting.set(key, { ...pair, notBeforeNs: this.datapath.bootNs() + RETRY_NS });
      return;
    }
    const grants = reach === 'port' ? pair.grants.filter((grant) => !isFirst(grant, flow)) : [];
    this.waiting.set(key, { ...pair, grants });
    if (grants.length > 0) this.resume();
    else this.remove(key, pair);
  }

  /** Removes those whose lease cannot hold any more. */
  sweep(): void {
    const age = this.datapath.bootNs() - this.openedNs;
    for (const [key, pair] of this.waiting) {
      if (age > (this.whereIs(pair.spec.remote) === 'here' ? LOCAL_LEASE_NS : RECEIVE_LEASE_NS)) this.remove(key, pair);
    }
  }

  /** A pair within the node goes with both its ends. Nothing is removed that was replaced meanwhile: the gate compares numbers. */
  private remove(key: string, { spec }: FoundPair): void {
    this.waiting.delete(key);
    this.datapath.removePair(spec.pair);
    const role = spec.role === 'client' ? 'server' : 'client';
    const otherKey = this.byAddresses.get(claimOf({ role, local: spec.remote, remote: spec.local })) ?? '';
    const other = this.waiting.get(otherKey);
    if (other) this.remove(otherKey, other);
  }
}
