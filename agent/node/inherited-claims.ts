import type { FoundPair } from '../datapath/contract.ts';
import type { Claims } from './claim-file.ts';
import { claimedAddress, claimOf } from '../pair/ends.ts';
import type { PairStatus } from '../pair/manager.ts';
import { endsOfPair } from '../pair/pair-book.ts';
import { RECEIVE_LEASE_NS } from '../session/session-lease.ts';

/** After this the leases of pairs that an earlier agent has left are over at every node. */
export const INHERITED_NS = RECEIVE_LEASE_NS + 1_000_000_000n;

/**
 * Local addresses that other nodes may take for a workload's because an earlier agent proved it: it left the pairs in the gate, and this agent cannot
 * close what it does not know by name; or it knew of such addresses itself, `saved`. A pair that is proven anew is this agent's own.
 */
export class InheritedClaims {
  private readonly untilOf: Map<string, bigint>;

  constructor(found: readonly FoundPair[], saved: Claims, nowNs: bigint) {
    const latestNs = nowNs + INHERITED_NS;
    // The clock of times begins anew when the machine does.
    const ofSaved = [...saved].map(([claim, until]): [string, bigint] => [claim, until < latestNs ? until : latestNs]);
    this.untilOf = new Map([...ofSaved, ...found.map(({ spec }): [string, bigint] => [claimOf(spec), latestNs])]);
  }

  get any(): boolean {
    return this.untilOf.size > 0;
  }

  /** Takes note of the pairs that live now. */
  provenAnew(pairs: readonly Pick<PairStatus, 'pair'>[]): void {
    for (const { pair } of pairs) this.untilOf.delete(claimOf(endsOfPair(pair)));
  }

  has(address: string, nowNs: bigint): boolean {
    return [...this.claims(nowNs).keys()].some((claim) => claimedAddress(claim) === address);
  }

  /** All of them, each until its end. */
  claims(nowNs: bigint): Claims {
    return new Map([...this.untilOf].filter(([, until]) => nowNs < until));
  }
}
