import type { KeyObject } from 'node:crypto';
import { isSymbolonError, SymbolonError } from '#core/errors/error';
import type { X509Bundle } from './bundle.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import { KEY_USAGE } from './extensions.ts';
import { parseSpiffeId, pathOf, type TrustDomain, trustDomainOf } from './id.ts';
import { CLIENT_AUTH, SERVER_AUTH } from './leaf.ts';
import { publicKeyOf } from './public-key.ts';

const ANY_USAGE = '2.5.29.37.0';

/** A CA certificate with its key. */
export interface Authority {
  readonly certificate: Certificate;
  readonly key: KeyObject;
}

/**
 * Refuses a certificate that may not sign SVIDs of the trust domain (X509-SVID sections 3.2, 4.1, 4.3). A CA without a SPIFFE ID is fine;
 * one that has one must have the trust domain's own. Throws SVID_UNTRUSTED with the rule.
 */
function checkSigningCertificate(certificate: Certificate, trustDomain: TrustDomain): void {
  const fail = (rule: string, why: string, cause?: unknown): never => {
    throw new SymbolonError('SVID_UNTRUSTED', `a CA certificate of the trust domain ${trustDomain} ${why}`, { rule }, cause);
  };
  if (!certificate.basicConstraints?.isCa) fail('X4', 'is not marked as a CA');
  if (!certificate.keyUsage) return fail('X5', 'has no key usage');
  if (!certificate.keyUsage.critical) fail('X5', 'has a key usage that is not critical');
  if (!(certificate.keyUsage.bits & KEY_USAGE.keyCertSign)) fail('X5', 'has a key usage without keyCertSign');
  const usage = certificate.extendedKeyUsage;
  if (usage && !usage.includes(ANY_USAGE) && !(usage.includes(SERVER_AUTH) && usage.includes(CLIENT_AUTH))) {
    fail('X7', 'has an extended key usage that does not cover serverAuth and clientAuth');
  }
  const uris = certificate.subjectAltName?.uris ?? [];
  const [uri] = uris;
  if (uris.length > 1) fail('X1', `has ${uris.length} URI names; at most one is allowed`);
  if (uri === undefined) return;
  try {
    const id = parseSpiffeId(uri);
    if (pathOf(id) !== '') fail('X3', `has the SPIFFE ID ${id}; a CA's ID has no path`);
    if (trustDomainOf(id) !== trustDomain) fail('X3', `has the SPIFFE ID ${id} of another trust domain`);
  } catch (error) {
    if (!isSymbolonError(error, 'SPIFFE_ID_INVALID')) throw error;
    fail('X3', 'has a URI name that is not a SPIFFE ID', error);
  }
}

/** Parses a CA certificate for a trust domain. Throws DER_INVALID, CERTIFICATE_INVALID, SVID_UNTRUSTED. */
export function parseAuthority(der: Uint8Array, trustDomain: TrustDomain): Authority {
  const certificate = parseCertificate(der);
  checkSigningCertificate(certificate, trustDomain);
  return { certificate, key: publicKeyOf(certificate) };
}

/**
 * The authorities of a bundle that can be used. One that cannot (an algorithm that is not allowed, say) verifies nothing and does not
 * disturb the others: an upstream's odd root must not cut off a whole trust domain.
 */
export function usableAuthorities(bundle: X509Bundle): readonly Authority[] {
  return bundle.authorities.flatMap((authority) => {
    try {
      return [parseAuthority(authority.der, bundle.trustDomain)];
    } catch (error) {
      if (isSymbolonError(error)) return [];
      throw error;
    }
  });
}
