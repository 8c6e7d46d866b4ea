import { SymbolonError } from '#core/errors/error';

/** A trust domain's name, `east.example` (SPIFFE-ID section 2.1). Only parseTrustDomain makes one. */
export type TrustDomain = string & { readonly __brand: 'TrustDomain' };
/** A SPIFFE ID, `spiffe://<trust domain>[/<path>]` (SPIFFE-ID section 2). Only parseSpiffeId makes one; equal IDs are equal strings. */
export type SpiffeId = string & { readonly __brand: 'SpiffeId' };

const SCHEME = 'spiffe://';
/** SPIFFE-ID section 2.3. */
const MAX_ID_BYTES = 2048;
const MAX_TRUST_DOMAIN_BYTES = 255;

/** Parses a trust domain name. Throws TRUST_DOMAIN_INVALID. Accepts no scheme, no upper case, no port (SPIFFE-ID section 2.1). */
export function parseTrustDomain(text: string): TrustDomain {
  const fail = (why: string): never => {
    throw new SymbolonError('TRUST_DOMAIN_INVALID', `${JSON.stringify(text.slice(0, 300))} is not a trust domain: ${why}`, { value: text });
  };
  if (text.length === 0) return fail('it is empty; expected a name like east.example');
  if (text.startsWith(SCHEME)) return fail(`leave out ${SCHEME}`);
  if (text.length > MAX_TRUST_DOMAIN_BYTES) return fail(`it is longer than ${MAX_TRUST_DOMAIN_BYTES} bytes`);
  if (!/^[a-z0-9._-]+$/.test(text)) return fail('only lower-case letters, digits, dots, dashes and underscores are allowed');
  return text as TrustDomain;
}

/** Why a path (with its leading slash) is no SPIFFE ID path, or undefined if it is one (SPIFFE-ID section 2.2). */
export function pathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'the path must start with a slash';
  if (path.endsWith('/')) return 'the path must not end with a slash';
  for (const segment of path.slice(1).split('/')) {
    if (segment === '') return 'the path has an empty segment';
    if (segment === '.' || segment === '..') return `the path has the relative segment ${segment}`;
    if (!/^[a-zA-Z0-9._-]+$/.test(segment)) return 'a path segment may hold only letters, digits, dots, dashes and underscores';
  }
  return undefined;
}

/** Parses a SPIFFE ID, with or without a path. Throws SPIFFE_ID_INVALID. */
export function parseSpiffeId(text: string): SpiffeId {
  const fail = (why: string): never => {
    throw new SymbolonError('SPIFFE_ID_INVALID', `${JSON.stringify(text.slice(0, 300))} is not a SPIFFE ID: ${why}`, { value: text });
  };
  if (!text.startsWith(SCHEME)) return fail(`it must start with ${SCHEME}, in lower case`);
  if (Buffer.byteLength(text) > MAX_ID_BYTES) return fail(`it is longer than ${MAX_ID_BYTES} bytes`);
  const rest = text.slice(SCHEME.length);
  const slash = rest.indexOf('/');
  const name = slash < 0 ? rest : rest.slice(0, slash);
  if (name === '') return fail('the trust domain is empty');
  if (name.length > MAX_TRUST_DOMAIN_BYTES) return fail(`the trust domain is longer than ${MAX_TRUST_DOMAIN_BYTES} bytes`);
  if (!/^[a-z0-9._-]+$/.test(name)) return fail('the trust domain may hold only lower-case letters, digits, dots, dashes and underscores');
  const problem = slash < 0 ? undefined : pathProblem(rest.slice(slash));
  if (problem) return fail(problem);
  return text as SpiffeId;
}

/** The trust domain of an ID. */
export function trustDomainOf(id: SpiffeId): TrustDomain {
  const slash = id.indexOf('/', SCHEME.length);
  return (slash < 0 ? id.slice(SCHEME.length) : id.slice(SCHEME.length, slash)) as TrustDomain;
}

/** The path of an ID with its leading slash, or `''`. */
export function pathOf(id: SpiffeId): string {
  const slash = id.indexOf('/', SCHEME.length);
  return slash < 0 ? '' : id.slice(slash);
}

/** The segments of an ID's path. */
export function segmentsOf(id: SpiffeId): readonly string[] {
  const path = pathOf(id);
  return path === '' ? [] : path.slice(1).split('/');
}

/** The ID of a trust domain itself: no path. */
export function trustDomainId(trustDomain: TrustDomain): SpiffeId {
  return `${SCHEME}${trustDomain}` as SpiffeId;
}
