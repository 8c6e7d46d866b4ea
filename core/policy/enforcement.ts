import type { Enforcement } from '#core/registration/entry';

/** One end of a flow as its node sees it. Unmanaged = `off`. */
export interface EnforcedEnd {
  readonly enforcement: Enforcement;
  /** Whether the end's address lies in the node directory, so that there is an agent to ask. */
  readonly inDirectory: boolean;
}

/**
 * What a flow needs to pass: `none` = nothing looks at it; `proof` = both ends are proven to each other, then egress is decided at the source's node and
 * ingress at the destination's; `impossible` = an end demands a proof that the other cannot give.
 */
export type Requirement =
  | { readonly kind: 'none' }
  | { readonly kind: 'proof' }
  | { readonly kind: 'impossible'; readonly unproven: 'source' | 'destination' };

/**
 * Which proof the enforcement of the two ends demands. A managed destination is reached by proven sources only. A source under `all` sends to proven
 * destinations only; under `inbound` the same, except that addresses in no directory are free. Two unmanaged ends are left alone.
 */
export function requirementOf(source: EnforcedEnd, destination: EnforcedEnd): Requirement {
  const managed = { source: source.enforcement !== 'off', destination: destination.enforcement !== 'off' };
  if (managed.source && managed.destination) return { kind: 'proof' };
  if (managed.destination) return { kind: 'impossible', unproven: 'source' };
  if (!managed.source) return { kind: 'none' };
  if (source.enforcement === 'inbound' && !destination.inDirectory) return { kind: 'none' };
  return { kind: 'impossible', unproven: 'destination' };
}
