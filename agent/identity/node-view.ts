import type { IpPrefix } from '#core/network/prefix';
import type { AuthPolicy } from '#core/policy/model';
import type { NodeDirectory } from '#core/registration/directory';
import type { Enforcement, RegistrationEntry } from '#core/registration/entry';
import type { BundleSet } from '#core/spiffe/bundle';
import type { TrustDomain } from '#core/spiffe/id';

/** What holds for the whole trust domain unless an object says otherwise. */
export interface NodeSettings {
  readonly trustDomain: TrustDomain;
  /** Undefined: the default (core/registration DEFAULT_ENFORCEMENT). */
  readonly enforcement?: Enforcement;
  /** Every node's prefixes lie inside these; empty = no limit. */
  readonly addressPrefixes: readonly IpPrefix[];
}

/** Everything that a node needs to decide alone, as its authority told it. Immutable; swapped whole with every revision. */
export interface NodeView {
  readonly revision: bigint;
  readonly settings: NodeSettings;
  /** The identities whose parent is this node. */
  readonly entries: readonly RegistrationEntry[];
  /** Every policy of the trust domain. */
  readonly policies: readonly AuthPolicy[];
  readonly directory: NodeDirectory;
  readonly bundles: BundleSet;
}
