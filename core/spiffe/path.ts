import { SymbolonError } from '#core/errors/error';
import { earliest, formatInstant, type Instant } from '#core/time/instant';
import { type Authority, parseAuthority } from './authority.ts';
import type { Certificate } from './certificate.ts';
import type { NameConstraints } from './extensions.ts';
import { type SpiffeId, trustDomainOf } from './id.ts';
import { constraintProblem } from './name-constraints.ts';
import { isSignedBy } from './public-key.ts';

/** Certificates between a leaf and an authority of the bundle. */
export const MAX_INTERMEDIATES = 4;

/** A CA that has a valid path to an authority of the bundle. Validity is that of the whole path. */
export interface TrustedIssuer extends Authority {
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** How many CA certificates may still follow. */
  readonly casBelow: number;
  readonly constraints: readonly NameConstraints[];
}

/** What a path is validated for, and against. */
export interface PathContext {
  readonly leafId: SpiffeId;
  readonly at: Instant;
  readonly authorities: readonly Authority[];
  /** Intermediates that had a valid path before, by their DER. */
  readonly known?: { get(der: Buffer): TrustedIssuer | undefined; set(der: Buffer, issuer: TrustedIssuer): void };
}

function untrusted(context: PathContext, why: string): never {
  throw new SymbolonError('SVID_UNTRUSTED', `the certificate of ${context.leafId} ${why}`, { rule: 'X7', spiffeId: context.leafId });
}

/** Refuses validity that does not contain the moment; both ends belong to it (RFC 5280 section 4.1.2.5). Throws SVID_EXPIRED. */
export function checkValidity(
  what: string,
  validity: { readonly notBefore: Instant; readonly notAfter: Instant },
  id: SpiffeId,
  at: Instant,
): void {
  const { notBefore, notAfter } = validity;
  if (at >= notBefore && at <= notAfter) return;
  const why = at < notBefore ? `is not valid before ${formatInstant(notBefore)}` : `expired at ${formatInstant(notAfter)}`;
  throw new SymbolonError('SVID_EXPIRED', `${what} of ${id} ${why}; now it is ${formatInstant(at)}`, {
    spiffeId: id,
    notBeforeMs: notBefore,
    notAfterMs: notAfter,
  });
}

/** True if the CA could have issued the certificate, by names and key identifiers. */
function names(issuer: Certificate, child: Certificate): boolean {
  const idsAgree = !child.authorityKeyId || !issuer.subjectKeyId || child.authorityKeyId.equals(issuer.subjectKeyId);
  return idsAgree && issuer.subject.equals(child.issuer);
}

function fromAuthority(child: Certificate, context: PathContext): TrustedIssuer | undefined {
  let expired: Authority | undefined;
  for (const authority of context.authorities) {
    const { certificate, key } = authority;
    // Two authorities may share a name (a rotation without key identifiers): the one whose key verifies is the issuer.
    if (!names(certificate, child) || !isSignedBy(child, key)) continue;
    if (context.at < certificate.notBefore || context.at > certificate.notAfter) {
      expired = authority;
      continue;
    }
    return {
      ...authority,
      notBefore: certificate.notBefore,
      notAfter: certificate.notAfter,
      casBelow: certificate.basicConstraints?.maxPathLength ?? MAX_INTERMEDIATES,
      constraints: certificate.nameConstraints ? [certificate.nameConstraints] : [],
    };
  }
  if (expired) checkValidity('the authority', expired.certificate, context.leafId, context.at);
  return undefined;
}

function intermediate(der: Buffer, rest: readonly Buffer[], context: PathContext): TrustedIssuer {
  const authority = parseAuthority(der, trustDomainOf(context.leafId));
  const { certificate } = authority;
  checkValidity('an intermediate', certificate, context.leafId, context.at);
  const above = findIssuer(certificate, rest, context);
  const selfIssued = certificate.subject.equals(certificate.issuer);
  if (!selfIssued && above.casBelow < 1) untrusted(context, 'has more intermediates than a CA above them allows');
  checkConstraints(certificate, above, context);
  return {
    ...authority,
    notBefore: Math.max(certificate.notBefore, above.notBefore) as Instant,
    notAfter: earliest(certificate.notAfter, above.notAfter),
    casBelow: Math.min(selfIssued ? above.casBelow : above.casBelow - 1, certificate.basicConstraints?.maxPathLength ?? MAX_INTERMEDIATES),
    constraints: certificate.nameConstraints ? [...above.constraints, certificate.nameConstraints] : above.constraints,
  };
}

/** Refuses a certificate whose names a CA above it excludes. Throws SVID_UNTRUSTED. */
export function checkConstraints(certificate: Certificate, issuer: TrustedIssuer, context: PathContext): void {
  for (const constraints of issuer.constraints) {
    const problem = constraintProblem(constraints, certificate);
    if (problem) untrusted(context, problem);
  }
}

/**
 * The CA that signed `child` and has a valid path itself: an authority of the bundle, or the next certificate of the chain. The rest of the
 * chain is in order, each certificate signed by the one after it; what comes after an authority's is not looked at.
 * RFC 5280 section 6.1, without policies. Throws SVID_UNTRUSTED, SVID_EXPIRED, CERTIFICATE_INVALID, DER_INVALID.
 */
export function findIssuer(child: Certificate, rest: readonly Buffer[], context: PathContext): TrustedIssuer {
  const authority = fromAuthority(child, context);
  if (authority) return authority;
  const [next, ...further] = rest;
  if (next === undefined) return untrusted(context, `has no path to an authority of the trust domain ${trustDomainOf(context.leafId)}`);
  const known = context.known?.get(next);
  const issuer = known ?? intermediate(next, further, context);
  if (!known) context.known?.set(next, issuer);
  if (!names(issuer.certificate, child) || !isSignedBy(child, issuer.key))
    untrusted(context, 'comes with a chain in which a certificate is not signed by the next');
  return issuer;
}
