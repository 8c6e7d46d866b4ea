import type { RegistrationEntry } from '#core/registration/entry';
import type { BundleSet } from '#core/spiffe/bundle';
import type { Credential } from '../proof/contract.ts';

/** What the Workload API serves: the agent's present state. */
export interface WorkloadApiSource {
  /**
   * The entry that the network namespace (inode number) is attested as, or undefined: not a workload's, undeclared, refused, or not
   * attested yet.
   */
  entryOfNamespace(namespace: bigint): RegistrationEntry | undefined;
  /** The entry's valid credential, or undefined while there is none. */
  credentialOf(entryId: string): Credential | undefined;
  bundles(): BundleSet;
  /** Calls the listener whenever any of the above may answer differently. Returns the function that unsubscribes. */
  subscribe(listener: () => void): () => void;
}
