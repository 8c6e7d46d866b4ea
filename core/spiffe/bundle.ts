import type { TrustDomain } from './id.ts';

/** One X.509 authority of a trust domain: a CA certificate, DER. */
export interface X509Authority {
  readonly der: Uint8Array;
}

/** A trust domain's X.509 authorities (SPIFFE Trust Domain and Bundle, section 4). No authorities: every SVID of the domain is invalid. */
export interface X509Bundle {
  readonly trustDomain: TrustDomain;
  readonly authorities: readonly X509Authority[];
  /** `spiffe_sequence`: grows with every change. */
  readonly sequence: bigint;
  /** `spiffe_refresh_hint`, seconds. */
  readonly refreshHintSeconds?: number;
}

/** Bundles by trust domain; one domain's bundle never verifies another's SVID. */
export type BundleSet = ReadonlyMap<TrustDomain, X509Bundle>;
