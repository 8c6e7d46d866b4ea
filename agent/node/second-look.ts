import type { SpiffeId } from '#core/spiffe/id';
import type { Instant } from '#core/time/instant';
import type { Attestation } from '../attestation/attestation.ts';

/** A process that enters a workload's namespace as root, and becomes the workload's user a moment later, is over this by then. */
export const SECOND_LOOK_MS = 200;

/**
 * Before a workload loses the identity that it had, it is looked at a second time: a debugger or runtime that passes through its namespace must not cut every
 * connection. Gaining an identity needs no second look, and what is not proven is not opened meanwhile: the workload stays what it was.
 */
export class SecondLook {
  private readonly since = new Map<number, Instant>();

  /** `again` is called where a second look is needed, with the milliseconds until then. */
  constructor(private readonly again: (interfaceIndex: number, ms: number) => void) {}

  /** What to believe of an interface whose workload had the identity `known`. A stranger who was seen has not gone because a look was incomplete. */
  judge(interfaceIndex: number, known: SpiffeId | undefined, found: Attestation, at: Instant, complete = true): Attestation {
    const keeps = known === undefined || found.kind === 'pending' || (found.kind === 'identity' && found.entry.spiffeId === known);
    if (keeps) {
      if (complete) this.since.delete(interfaceIndex);
      return found;
    }
    const first = this.since.get(interfaceIndex) ?? at;
    this.since.set(interfaceIndex, first);
    if (at - first >= SECOND_LOOK_MS) return found;
    this.again(interfaceIndex, SECOND_LOOK_MS - (at - first));
    return { kind: 'pending' };
  }
}
