import { isLosslessNumber, parse } from 'lossless-json';
import { isSymbolonError, SymbolonError } from '#core/errors/error';
import { parseAuthority } from './authority.ts';
import type { X509Authority, X509Bundle } from './bundle.ts';
import { findDuplicateKey } from './duplicate-key.ts';
import type { TrustDomain } from './id.ts';
import { UNUSABLE_KEY } from './public-key.ts';

/** A bundle of 500 authorities with their JWT keys has about 1 MB. */
export const MAX_BUNDLE_BYTES = 4 * 1024 * 1024;
const MAX_SEQUENCE = 2n ** 64n - 1n;
const MAX_REFRESH_HINT_SECONDS = 2 ** 31 - 1;
const X509_SVID_USE = 'x509-svid';
/** Of public keys (RFC 7518 section 6.1, RFC 8037 section 2). */
const KEY_TYPES: ReadonlySet<unknown> = new Set(['EC', 'RSA', 'OKP']);

export type JsonObject = Readonly<Record<string, unknown>>;

function fail(rule: string, why: string, cause?: unknown): never {
  throw new SymbolonError('BUNDLE_INVALID', `the SPIFFE bundle ${why}`, { rule }, cause);
}

/** Parses JSON whose numbers stay exact. A key that occurs twice is refused, also where both have the same value. Throws BUNDLE_INVALID. */
export function parseSpiffeJson(text: string): unknown {
  if (text.length > MAX_BUNDLE_BYTES) fail('size', `has ${text.length} bytes; at most ${MAX_BUNDLE_BYTES} are accepted`);
  const value = parseLossless(text);
  const twice = findDuplicateKey(text);
  if (twice !== undefined) fail('B6', `has the key ${JSON.stringify(twice.slice(0, 300))} twice in one object`);
  return value;
}

function parseLossless(text: string): unknown {
  try {
    return parse(text, undefined, { onDuplicateKey: () => undefined });
  } catch (error) {
    return fail('json', 'is not JSON', error);
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isLosslessNumber(value);
}

/** An unsigned integer member, or undefined if it is absent. */
function readInteger(object: JsonObject, key: string, max: bigint, rule: string): bigint | undefined {
  const value = object[key];
  if (value === undefined) return undefined;
  const text = isLosslessNumber(value) ? value.value : undefined;
  if (text === undefined || !/^(0|[1-9]\d{0,19})$/.test(text) || BigInt(text) > max) {
    return fail(rule, `has a ${key} that is not a whole number from 0 to ${max}`);
  }
  return BigInt(text);
}

/** A CA whose key is of a kind that is not allowed here. Others may allow it: it verifies nothing, and takes nothing from its neighbours. */
function isUnusableKey(error: unknown): boolean {
  return isSymbolonError(error, 'CERTIFICATE_INVALID') && error.context.rule === UNUSABLE_KEY;
}

/** An element that is ignored: why, in words. */
interface Ignored {
  readonly why: string;
}

/**
 * The authority in a JWK, or why to ignore the element: one without kty or use, of an unknown kty, of another or unknown use, without x5c
 * (Trust Domain and Bundle section 4.2, X509-SVID section 6.2), or with a key that is not allowed. Values of x5c after the first are ignored.
 */
function readAuthority(key: unknown, at: string, trustDomain: TrustDomain): X509Authority | Ignored {
  if (!isJsonObject(key)) return { why: `${at} is no object` };
  const { kty, use, x5c } = key;
  if (typeof kty !== 'string') return { why: `${at} has no kty` };
  if (!KEY_TYPES.has(kty)) return { why: `${at} has the kty ${JSON.stringify(kty.slice(0, 50))}` };
  if (typeof use !== 'string') return { why: `${at} has no use` };
  if (use !== X509_SVID_USE) return { why: `${at} has the use ${JSON.stringify(use.slice(0, 50))}` };
  const [first] = Array.isArray(x5c) ? (x5c as readonly unknown[]) : [];
  if (first === undefined) return { why: `${at} has no certificate in x5c` };
  if (typeof first !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(first) || first.length % 4 !== 0)
    return fail('X9', `has an x5c value that is not base64, in ${at}`);
  const der = new Uint8Array(Buffer.from(first, 'base64'));
  try {
    parseAuthority(der, trustDomain);
  } catch (error) {
    if (isUnusableKey(error)) return { why: `${at} has a key that is not allowed` };
    if (!isSymbolonError(error)) throw error;
    fail('X9', `has an x5c value that is not a CA certificate for the trust domain, in ${at}`, error);
  }
  return { der };
}

/** A bundle in JSON that has been parsed. `onIgnored` is told why an element is ignored. Throws BUNDLE_INVALID with the rule. */
export function readBundle(value: unknown, trustDomain: TrustDomain, onIgnored: (why: string) => void = () => undefined): X509Bundle {
  if (!isJsonObject(value)) return fail('B4', 'is not a JSON object');
  const { keys } = value;
  if (!Array.isArray(keys)) return fail('B4', 'has no array "keys"');
  const hint = readInteger(value, 'spiffe_refresh_hint', BigInt(MAX_REFRESH_HINT_SECONDS), 'B3');
  const elements = (keys as readonly unknown[]).map((key, i) => readAuthority(key, `keys[${i}]`, trustDomain));
  for (const element of elements) if ('why' in element) onIgnored(element.why);
  return {
    trustDomain,
    authorities: elements.filter((element) => 'der' in element),
    sequence: readInteger(value, 'spiffe_sequence', MAX_SEQUENCE, 'B2') ?? 0n,
    ...(hint !== undefined && { refreshHintSeconds: Number(hint) }),
  };
}

/**
 * Parses a SPIFFE bundle (Trust Domain and Bundle section 4): a JWK set. The trust domain is not in it; the reader must know it. Unknown
 * members and elements are ignored; `onIgnored` is told why an element is. Throws BUNDLE_INVALID with the rule.
 */
export function parseBundleJson(text: string, trustDomain: TrustDomain, onIgnored?: (why: string) => void): X509Bundle {
  return readBundle(parseSpiffeJson(text), trustDomain, onIgnored);
}
