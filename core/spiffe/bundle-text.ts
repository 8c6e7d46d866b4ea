import { describeError, SymbolonError } from '#core/errors/error';
import { parseAuthority, usableAuthorities } from './authority.ts';
import { parseBundleJson } from './bundle-json.ts';
import { parseBundleOfMapJson } from './bundle-map.ts';
import type { X509Bundle } from './bundle.ts';
import type { TrustDomain } from './id.ts';
import { certificatesFromPem } from './pem.ts';

/** So many reasons say what is wrong with all of them. */
const MAX_REASONS = 5;

/** Whether a text is meant as a bundle in SPIFFE JSON, which is an object. */
export function isBundleJson(text: string): boolean {
  return text.trimStart().startsWith('{');
}

/** Why a certificate is no authority of the trust domain, or undefined if it is one. */
function problemOf(der: Uint8Array, trustDomain: TrustDomain): string | undefined {
  try {
    parseAuthority(der, trustDomain);
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

function parseAnyJson(text: string, trustDomain: TrustDomain, onIgnored: (why: string) => void): X509Bundle {
  return parseBundleOfMapJson(text, trustDomain, onIgnored) ?? parseBundleJson(text, trustDomain, onIgnored);
}

function parseBundlePem(text: string, trustDomain: TrustDomain, onIgnored: (why: string) => void): X509Bundle {
  const authorities = certificatesFromPem(text).map((der) => ({ der }));
  for (const [i, { der }] of authorities.entries()) {
    const problem = problemOf(der, trustDomain);
    if (problem !== undefined) onIgnored(`PEM block ${i + 1} of ${authorities.length}: ${problem}`);
  }
  return { trustDomain, authorities, sequence: 0n };
}

/**
 * The bundle of a trust domain as people pass it on: SPIFFE JSON (SPIFFE Trust Domain and Bundle, section 4), a bundle map that has it (section 5.1), or the
 * CA certificates in PEM, which say no sequence: 0. One without an authority that can be used is a mistake here, though not where authorities publish it: there it takes all trust back. Throws
 * BUNDLE_INVALID, BUNDLE_MISSING or CERTIFICATE_INVALID.
 */
export function parseBundleText(text: string, trustDomain: TrustDomain): X509Bundle {
  const ignored: string[] = [];
  const parse = isBundleJson(text) ? parseAnyJson : parseBundlePem;
  const bundle = parse(text, trustDomain, (why) => ignored.push(why));
  if (usableAuthorities(bundle).length > 0) return bundle;
  const more = ignored.length > MAX_REASONS ? `; and ${ignored.length - MAX_REASONS} more` : '';
  const why = ignored.length === 0 ? 'its "keys" are empty' : `${ignored.slice(0, MAX_REASONS).join('; ')}${more}`;
  throw new SymbolonError(
    'BUNDLE_INVALID',
    `the bundle holds no X.509 authority of ${trustDomain} that can be used: ${why}; expected a CA certificate in PEM, or a key with the use "x509-svid" and its certificate in x5c`,
    { rule: 'authorities' },
  );
}
