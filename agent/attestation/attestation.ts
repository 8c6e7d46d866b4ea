import type { IpAddress } from '#core/network/address';
import type { RegistrationEntry } from '#core/registration/entry';

/** A host-side interface with the workload behind it, as attestation has found it. */
export interface AttestedInterface {
  readonly interfaceIndex: number;
  readonly name: string;
  /** Counts the interfaces that have had this index since the agent started. */
  readonly instance: number;
  /** Inode number of the workload's network namespace; 0 while nobody has been seen in it. */
  readonly namespace: bigint;
  /** Addresses that the node's own routes send to the interface. */
  readonly addresses: readonly IpAddress[];
  readonly attestation: Attestation;
}

/** Who is behind an interface. `pending`: nobody runs there yet, the node has no view to compare with, or `reason`. */
export type Attestation =
  | { readonly kind: 'identity'; readonly entry: RegistrationEntry; readonly addresses: readonly IpAddress[] }
  | { readonly kind: 'unmanaged' }
  | { readonly kind: 'pending'; readonly reason?: string }
  | { readonly kind: 'refused'; readonly reason: string };
