import type { FoundPair } from '../datapath/contract.ts';
import type { PairStatus } from '../pair/manager.ts';
import { RECEIVE_LEASE_NS } from '../session/session-lease.ts';

/** After this the leases of pairs that an earlier agent has left are over at every node. */
export const INHERITED_NS = RECEIVE_LEASE_NS + 1_000_000_000n;

const endsOf = (local: string, remote: string, role: string): string => `${role} ${local} ${remote}`;

/**
 * Local addresses that other nodes may take for a workload's because an earlier agent proved it: it left the pairs in the gate, and this agent cannot
 * close what it does not know by name. A pair that is proven anew is this agent's own.
 */
export class InheritedClaims {
  private readonly localOf: Map<string, string>;
  private readonly untilNs: bigint;

  constructor(found: readonly FoundPair[], nowNs: bigint) {
    this.localOf = new Map(found.map(({ spec }) => [endsOf(spec.local.text, spec.remote.text, spec.role), spec.local.text]));
    this.untilNs = nowNs + INHERITED_NS;
  }

  get any(): boolean {
    return this.localOf.size > 0;
  }

  /** Takes note of the pairs that live now. */
  provenAnew(pairs: readonly Pick<PairStatus, 'pair'>[]): void {
    for (const { pair } of pairs) {
      const { flow, role } = pair.proven;
      const [local, remote] = role === 'client' ? [flow.source, flow.destination] : [flow.destination, flow.source];
      this.localOf.delete(endsOf(local.text, remote.text, role));
    }
  }

  has(address: string, nowNs: bigint): boolean {
    return nowNs < this.untilNs && [...this.localOf.values()].includes(address);
  }
}
