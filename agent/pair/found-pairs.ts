import { type Flow, hasPorts, parsePort, parseProtocol } from '#core/network/flow';
import type { IpAddress } from '#core/network/address';
import type { Datapath, EndpointId, FoundPair } from '../datapath/contract.ts';
import type { PairEnds } from './ends.ts';
import { LOCAL_LEASE_NS } from './local-lease.ts';
import type { PairBook } from './pair-book.ts';
import { RECEIVE_LEASE_NS } from '../session/session-lease.ts';

/**
 * Pairs that an earlier agent of this node left in the gate. Their proofs are gone with it: those that a local client started are proven
 * anew under the rest of their lease, so that their flows go on; whatever was not proven by its end is removed.
 */
export class FoundPairs {
  private waiting: readonly FoundPair[];
  private readonly openedNs: bigint;

  constructor(
    private readonly datapath: Datapath,
    private readonly book: PairBook,
    private readonly endpointOf: (ends: PairEnds) => EndpointId | undefined,
    /** Where the directory says that an address is; undefined before there is one. */
    private readonly whereIs: (address: IpAddress) => 'here' | 'elsewhere' | undefined,
  ) {
    this.waiting = datapath.found.pairs;
    this.openedNs = datapath.bootNs();
  }

  /** Starts the proofs of those whose workload is known by now. */
  resume(): void {
    for (const { spec } of this.waiting) {
      const [grant] = spec.grants;
      if (spec.role !== 'client' || !grant || this.endpointOf(spec) !== spec.endpoint || !this.whereIs(spec.remote)) continue;
      const machine = this.book.at(spec);
      if (machine.state.kind !== 'idle') continue;
      const protocol = parseProtocol(grant.protocol);
      const ends = { source: spec.local, destination: spec.remote, protocol };
      const flow: Flow = hasPorts(protocol) ? { ...ends, servicePort: parsePort(Math.max(1, grant.lowPort)) } : ends;
      this.book.dispatch(machine, { kind: 'wanted', flow, attempt: this.book.newAttempt() });
    }
  }

  /** Removes those whose lease cannot hold any more. Nothing is removed that was replaced meanwhile: the gate compares numbers. */
  sweep(): void {
    if (this.waiting.length === 0) return;
    const age = this.datapath.bootNs() - this.openedNs;
    const over = ({ spec }: FoundPair): boolean => age > (this.whereIs(spec.remote) === 'here' ? LOCAL_LEASE_NS : RECEIVE_LEASE_NS);
    for (const found of this.waiting.filter(over)) this.datapath.removePair(found.spec.pair);
    this.waiting = this.waiting.filter((found) => !over(found));
  }
}
