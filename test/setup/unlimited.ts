import type { AcceptLimits } from '../../agent/session/accept-queue.ts';

/** The limits of an agent's port, switched off. */
export const UNLIMITED: AcceptLimits = {
  handshakes: 100_000,
  handshakesOfOneAddress: 100_000,
  handshakesOfOneTurn: 100_000,
  waiting: 100_000,
};
