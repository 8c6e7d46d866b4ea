import { OPERATOR } from '#lab/names';
import type { ProbeRow } from '#lab/probe';

const TCP = { protocol: 'tcp', port: 8443 } as const;
const UDP = { protocol: 'udp', port: 5353 } as const;
const ECHO = { protocol: 'echo' } as const;
const V4 = { family: 4 } as const;
const V6 = { family: 6 } as const;

const UNPROVEN = { from: OPERATOR, to: 'payments', sourceOf: 'web', expected: 'nothing' } as const;

/**
 * web's address, from where no gate looks at what is sent. web has not spoken to payments yet: no pair lives, and the receiver's gate is all that there is
 * between them. These come first.
 */
const BEFORE_THE_PAIR: readonly ProbeRow[] = [
  { ...UNPROVEN, ...V4, ...TCP, note: 'from elsewhere, and no pair lives yet' },
  { ...UNPROVEN, ...V4, ...UDP },
  { ...UNPROVEN, ...V4, ...ECHO },
  { ...UNPROVEN, ...V6, ...UDP },
];

/** What the policies allow. The first packet of a new pair is held, not lost: no probe sends a second one. */
const PASSES: readonly ProbeRow[] = [
  { from: 'web', to: 'payments', ...V4, ...TCP, expected: 'passed', note: 'first packet of the pair' },
  { from: 'web', to: 'payments', ...V4, ...TCP, expected: 'passed', note: 'the pair is known' },
  { from: 'web', to: 'payments', ...V4, ...UDP, expected: 'passed' },
  { from: 'web', to: 'payments', ...V4, ...ECHO, expected: 'passed' },
  { from: 'web', to: 'payments', ...V6, ...UDP, expected: 'passed', note: 'first packet of the pair: one datagram' },
  { from: 'web', to: 'payments', ...V6, ...TCP, expected: 'passed' },
  { from: 'web', to: 'payments', ...V6, ...ECHO, expected: 'passed' },
  { from: 'cache', to: 'payments', ...V4, ...TCP, expected: 'passed', note: 'same node' },
  { from: 'reports', to: 'payments', ...V4, ...TCP, expected: 'passed' },
  { from: 'reports', to: 'payments', ...V6, ...TCP, expected: 'passed' },
];

/** What no policy allows, or nobody proves: refused at once, not by waiting. */
const REFUSALS: readonly ProbeRow[] = [
  { from: 'batch', to: 'payments', ...V4, ...TCP, expected: 'refused', note: 'no policy' },
  { from: 'web', to: 'reports', ...V4, ...TCP, expected: 'refused', note: 'no policy' },
  { from: 'web', to: 'payments', ...V4, protocol: 'tcp', port: 9999, expected: 'refused', note: 'a port that no policy names' },
  { from: 'drifter', to: 'payments', ...V4, ...TCP, expected: 'refused', note: 'undeclared, on another node' },
  { from: 'stranger', to: 'payments', ...V4, ...TCP, expected: 'refused', note: 'undeclared, on the same node' },
  { from: 'drifter', to: 'payments', ...V6, ...TCP, expected: 'refused', note: 'undeclared' },
  { from: 'payments', to: 'drifter', ...V4, ...TCP, expected: 'refused', note: 'to an undeclared one' },
  { from: 'payments', to: 'web', ...V4, ...TCP, expected: 'refused', note: 'the other direction' },
  { from: 'payments', to: 'web', ...V4, protocol: 'udp', port: 5999, sourcePort: 5353, expected: 'refused', note: 'posing as a reply' },
];

/** Forged sources. The sender cannot be told; what counts is that the receiver's network stack never sees it. */
const FORGERIES: readonly ProbeRow[] = [
  { from: 'batch', to: 'payments', ...V4, ...UDP, sourceOf: 'web', expected: 'nothing', note: 'declared, same node as web' },
  { from: 'batch', to: 'payments', ...V6, ...TCP, sourceOf: 'web', expected: 'nothing' },
  { from: 'stranger', to: 'payments', ...V4, ...UDP, sourceOf: 'web', expected: 'nothing', note: 'undeclared, same node as payments' },
];

/** All of the quickstart's probes, in their order: the first contact of a pair happens once. */
export const QUICKSTART_ROWS: readonly ProbeRow[] = [...BEFORE_THE_PAIR, ...PASSES, ...REFUSALS, ...FORGERIES];
