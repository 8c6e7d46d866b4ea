import type { KeyObject } from 'node:crypto';
import type { Instant } from '#core/time/instant';
import type { SpiffeId } from './id.ts';

/** An X509-SVID whose chain was verified against its own trust domain's bundle. Validity is that of the whole path. */
export interface X509Svid {
  readonly id: SpiffeId;
  /** Leaf first, DER, as presented. */
  readonly chain: readonly Uint8Array[];
  readonly publicKey: KeyObject;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** Lower-case hex of the leaf's serial number. */
  readonly serialNumber: string;
  /** From our private extension: the node that the SVID was issued to. Undefined for SVIDs of other issuers. */
  readonly issuedToNode?: SpiffeId;
}

/**
 * The private, non-critical extension that names the node an SVID was issued to: UTF8String of the node's SPIFFE ID.
 * 1.3.6.1.4.1.66666 stands in for a private enterprise number until the project has one (docs/adr/0004).
 */
export const ISSUED_TO_NODE_OID = '1.3.6.1.4.1.66666.1.1';
