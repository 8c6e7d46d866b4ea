import type { Certificate } from './certificate.ts';
import { GENERAL_NAME, type NameConstraints } from './extensions.ts';
import { parseSpiffeId, trustDomainOf } from './id.ts';

/** Constraints of these kinds also bind the subject's name (RFC 5280 section 4.2.1.10). */
const BINDS_SUBJECT = (1 << GENERAL_NAME.rfc822) | (1 << GENERAL_NAME.directory);

/** A URI constraint names a host, or with a leading dot all hosts below it; a SPIFFE ID's host is its trust domain. */
function matches(host: string, constraint: string): boolean {
  return constraint.startsWith('.') ? host.endsWith(constraint) : host === constraint;
}

/** Why the certificate's names break a CA's constraints, or undefined. Constraints of kinds that are not understood allow no such name. */
export function constraintProblem(constraints: NameConstraints, certificate: Certificate): string | undefined {
  const names = certificate.subjectAltName;
  const bound = constraints.otherKinds & ((names?.otherKinds ?? 0) | (certificate.subjectEmpty ? 0 : BINDS_SUBJECT));
  if (bound !== 0) return 'has a name of a kind that a CA above it constrains in a way that is not supported';
  for (const uri of names?.uris ?? []) {
    const host = trustDomainOf(parseSpiffeId(uri));
    if (constraints.excludedUris.some((c) => matches(host, c))) return `has the trust domain ${host}, which a CA above it excludes`;
    const { permittedUris } = constraints;
    if (permittedUris.length > 0 && !permittedUris.some((c) => matches(host, c)))
      return `has the trust domain ${host}, which a CA above it does not permit`;
  }
  return undefined;
}
