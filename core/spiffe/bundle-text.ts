import type { X509Bundle } from './bundle.ts';
import { parseBundleJson } from './bundle-json.ts';
import { parseBundleOfMapJson } from './bundle-map.ts';
import type { TrustDomain } from './id.ts';
import { certificatesFromPem } from './pem.ts';

/** Whether a text is meant as a bundle in SPIFFE JSON, which is an object. */
export function isBundleJson(text: string): boolean {
  return text.trimStart().startsWith('{');
}

/**
 * The bundle of a trust domain as people pass it on: SPIFFE JSON (SPIFFE Trust Domain and Bundle, section 4), a bundle map that has it (section 5.1), or the
 * CA certificates in PEM, which say no sequence: 0. Throws BUNDLE_INVALID, BUNDLE_MISSING or CERTIFICATE_INVALID.
 */
export function parseBundleText(text: string, trustDomain: TrustDomain): X509Bundle {
  if (isBundleJson(text)) return parseBundleOfMapJson(text, trustDomain) ?? parseBundleJson(text, trustDomain);
  return { trustDomain, authorities: certificatesFromPem(text).map((der) => ({ der })), sequence: 0n };
}
