import type { Datapath, SessionIndex } from '../datapath/contract.ts';

const SECOND_NS = 1_000_000_000n;
/** Pairs within the node hang on no peer: they outlive a restart of the agent, not its absence. */
export const LOCAL_LEASE_NS = 120n * SECOND_NS;
const RENEW_NS = 10n * SECOND_NS;

/** The session row of pairs whose two workloads are on this node. */
export class LocalLease {
  readonly index: SessionIndex;
  private nextNs = 0n;

  constructor(private readonly datapath: Datapath) {
    this.index = datapath.openSession();
    this.renew();
  }

  /** Renews the lease if it is time. */
  renew(): void {
    const now = this.datapath.bootNs();
    if (now < this.nextNs) return;
    this.nextNs = now + RENEW_NS;
    const until = now + LOCAL_LEASE_NS;
    this.datapath.renewSession(this.index, { txUntilBootNs: until, rxUntilBootNs: until + 2n * SECOND_NS });
  }
}
