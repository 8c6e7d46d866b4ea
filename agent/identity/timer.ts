/** setTimeout holds 31 bits; what waits longer looks at the clock again then. */
export const MAX_TIMER_MS = 2 ** 31 - 1;
