import type { Instant } from '#core/time/instant';

/** Renewals are spread over this part of the lifetime, on both sides of its half. */
const JITTER = 0.1;

/** An SVID that was given with half of its life gone must not make the agent ask without a pause. */
const MIN_DELAY_MS = 1000;

/** When to renew what is valid from `notBefore` to `notAfter`: at half of its life, ±10 %, but not at once. `random` is from 0 to 1. */
export function renewalTime(validity: { readonly notBefore: Instant; readonly notAfter: Instant }, at: Instant, random: number): Instant {
  const lifetime = validity.notAfter - validity.notBefore;
  const planned = Math.round(validity.notBefore + lifetime * (0.5 + JITTER * (2 * random - 1)));
  return Math.max(planned, at + MIN_DELAY_MS) as Instant;
}
