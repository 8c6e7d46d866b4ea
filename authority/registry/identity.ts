import { SymbolonError } from '#core/errors/error';
import { parseIpAddress } from '#core/network/address';
import { parseDnsName } from '#core/registration/dns-name';
import { checkEntry, type Enforcement, MAX_X509_SVID_TTL_SECONDS, type RegistrationEntry } from '#core/registration/entry';
import { formatSelector, parseSelector } from '#core/registration/selector';
import { parseSpiffeId, parseTrustDomain, type TrustDomain } from '#core/spiffe/id';
import { canonicalJson, canonicalSet } from './canonical.ts';
import type { ObjectRules } from './object.ts';

/** An identity's content in text form; sets are sorted. `enforcement` absent: the trust domain's. */
export interface IdentityBody {
  readonly spiffeId: string;
  readonly parentId: string;
  /** `unix:uid:1001`. */
  readonly selectors: readonly string[];
  readonly addresses: readonly string[];
  readonly federatesWith: readonly string[];
  /** 0 = the trust domain's default. */
  readonly x509SvidTtlSeconds: number;
  /** In the order of declaration. */
  readonly dnsNames: readonly string[];
  readonly hint: string;
  readonly enforcement?: Enforcement;
}

function invalid(field: string, value: string, why: string): never {
  throw new SymbolonError('ENTRY_INVALID', `${field} ${JSON.stringify(value)} ${why}`, { field, value });
}

/** Refuses a lifetime that nobody can have meant. `field`: what it is called where it comes from. Throws ENTRY_INVALID. */
export function checkTtl(seconds: number, field = 'x509_svid_ttl'): void {
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > MAX_X509_SVID_TTL_SECONDS) {
    invalid(field, String(seconds), `is not a lifetime of 0 (the default) to ${MAX_X509_SVID_TTL_SECONDS} seconds`);
  }
}

/** What the entry says in core's terms. */
function entryOf(id: string, body: IdentityBody, revision: bigint): RegistrationEntry {
  return {
    id,
    spiffeId: parseSpiffeId(body.spiffeId),
    parentId: parseSpiffeId(body.parentId),
    selectors: body.selectors.map(parseSelector),
    addresses: body.addresses.map(parseIpAddress),
    federatesWith: body.federatesWith.map(parseTrustDomain),
    x509SvidTtlSeconds: body.x509SvidTtlSeconds,
    dnsNames: body.dnsNames,
    hint: body.hint,
    ...(body.enforcement === undefined ? {} : { enforcement: body.enforcement }),
    revision,
  };
}

/** The rules of identities (registration entries) of a trust domain. Unique: ID, parent and selectors together, as in SPIRE. */
export function identityRules(trustDomain: TrustDomain): ObjectRules<IdentityBody, IdentityBody> {
  return {
    kind: 'identity',
    noun: 'identity',
    canonical: (input) => {
      const entry = entryOf('', input, 0n);
      checkEntry(entry, trustDomain);
      checkTtl(input.x509SvidTtlSeconds);
      if (input.federatesWith.length > 0) {
        invalid('federates_with', input.federatesWith.join(', '), 'cannot be: this authority federates with no trust domain yet');
      }
      return {
        spiffeId: entry.spiffeId,
        parentId: entry.parentId,
        selectors: canonicalSet(entry.selectors.map(formatSelector)),
        addresses: canonicalSet(entry.addresses.map((a) => a.text)),
        federatesWith: [],
        x509SvidTtlSeconds: entry.x509SvidTtlSeconds,
        dnsNames: entry.dnsNames.map(parseDnsName),
        hint: entry.hint,
        ...(entry.enforcement === undefined ? {} : { enforcement: entry.enforcement }),
      };
    },
    key: identityKey,
    name: (body) => body.spiffeId,
    importId: (id) => id,
  };
}

/** What makes an identity the same as another: who, where, and by which selectors. */
function identityKey(body: Pick<IdentityBody, 'spiffeId' | 'parentId' | 'selectors'>): string {
  return canonicalJson([body.spiffeId, body.parentId, ...body.selectors]);
}
