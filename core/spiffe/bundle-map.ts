import { SymbolonError } from '#core/errors/error';
import type { X509Bundle } from './bundle.ts';
import { isJsonObject, type JsonObject, parseSpiffeJson, readBundle } from './bundle-json.ts';
import { parseTrustDomain, type TrustDomain } from './id.ts';

/** Names that an error tells. */
const MAX_NAMES = 10;

function fail(why: string, cause?: unknown): never {
  throw new SymbolonError('BUNDLE_INVALID', `the SPIFFE bundle map ${why}`, { rule: 'B6' }, cause);
}

/** What has `keys` is a bundle, whatever else it has. */
function isBundleMap(value: unknown): value is JsonObject {
  return isJsonObject(value) && Object.hasOwn(value, 'trust_domains') && !Object.hasOwn(value, 'keys');
}

function checkName(name: string): TrustDomain {
  try {
    return parseTrustDomain(name);
  } catch (error) {
    return fail(`has the name ${JSON.stringify(name.slice(0, 300))}, which is no trust domain's`, error);
  }
}

function bundleOfMap(map: JsonObject, trustDomain: TrustDomain, onIgnored?: (why: string) => void): X509Bundle {
  const bundles = map['trust_domains'];
  if (!isJsonObject(bundles)) return fail('has a "trust_domains" that is no object');
  const names = Object.keys(bundles).map(checkName);
  if (!Object.hasOwn(bundles, trustDomain)) {
    const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : '';
    const has = names.length === 0 ? 'it is empty' : `it has ${names.slice(0, MAX_NAMES).join(', ')}${more}`;
    throw new SymbolonError(
      'BUNDLE_MISSING',
      `the SPIFFE bundle map has no bundle of the trust domain ${trustDomain}; ${has}; give one that has ${trustDomain}`,
      { trustDomain },
    );
  }
  const { refreshHintSeconds: _, ...bundle } = readBundle(bundles[trustDomain], trustDomain, onIgnored);
  return bundle;
}

/**
 * A trust domain's bundle from a SPIFFE bundle map (Trust Domain and Bundle section 5.1): bundles by the names of their trust domains; undefined if the JSON
 * is none. Of the others only the names are looked at. A bundle's refresh hint says nothing of when the map should be read again, and is left out.
 * Throws BUNDLE_INVALID with the rule, also for a name that occurs twice; BUNDLE_MISSING if the map does not have the trust domain.
 */
export function parseBundleOfMapJson(text: string, trustDomain: TrustDomain, onIgnored?: (why: string) => void): X509Bundle | undefined {
  const value = parseSpiffeJson(text);
  return isBundleMap(value) ? bundleOfMap(value, trustDomain, onIgnored) : undefined;
}
