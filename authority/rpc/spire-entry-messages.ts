import { SymbolonError } from '#core/errors/error';
import { parseSpiffeId } from '#core/spiffe/id';
import type { Entry, EntryMask } from '#proto/gen/spire/types';
import type { IdentityBody } from '../registry/identity.ts';
import type { Declared } from '../registry/object.ts';
import { selectorMessage, selectorText, spiffeIdFrom, spiffeIdMessage } from './spire-types.ts';

/** What SPIRE's entries can say and ours cannot yet: each must have its default. */
function checkUnsupported(entry: Entry): void {
  const asked = Object.entries({
    admin: entry.admin,
    downstream: entry.downstream,
    store_svid: entry.storeSvid,
    expires_at: entry.expiresAt !== 0n,
    jwt_svid_ttl: entry.jwtSvidTtl !== 0,
    'additional_attributes.disable_x509_svid_prefetch': entry.additionalAttributes?.disableX509SvidPrefetch ?? false,
    'additional_attributes.jwt_svid_include_jti': entry.additionalAttributes?.jwtSvidIncludeJti ?? false,
  }).find(([, isSet]) => isSet);
  if (!asked) return;
  throw new SymbolonError('REQUEST_INVALID', `${asked[0]} is not supported by this authority yet; leave it out`, {
    field: asked[0],
    value: '',
  });
}

/** The fields that SPIRE's message has. */
export function identityFromEntry(entry: Entry): IdentityBody {
  checkUnsupported(entry);
  return {
    spiffeId: spiffeIdFrom(entry.spiffeId, 'spiffe_id'),
    parentId: spiffeIdFrom(entry.parentId, 'parent_id'),
    selectors: entry.selectors.map(selectorText),
    addresses: [],
    federatesWith: entry.federatesWith,
    x509SvidTtlSeconds: entry.x509SvidTtl,
    dnsNames: entry.dnsNames,
    hint: entry.hint,
  };
}

/** An identity with those fields of an entry that the mask names; without a mask, all. Addresses and enforcement stay. */
export function applyEntry(before: IdentityBody, entry: Entry, mask: EntryMask | undefined): IdentityBody {
  checkUnsupported(entry);
  const takes = (field: keyof EntryMask): boolean => mask?.[field] ?? true;
  return {
    ...before,
    ...(takes('spiffeId') ? { spiffeId: spiffeIdFrom(entry.spiffeId, 'spiffe_id') } : {}),
    ...(takes('parentId') ? { parentId: spiffeIdFrom(entry.parentId, 'parent_id') } : {}),
    ...(takes('selectors') ? { selectors: entry.selectors.map(selectorText) } : {}),
    ...(takes('federatesWith') ? { federatesWith: entry.federatesWith } : {}),
    ...(takes('x509SvidTtl') ? { x509SvidTtlSeconds: entry.x509SvidTtl } : {}),
    ...(takes('dnsNames') ? { dnsNames: entry.dnsNames } : {}),
    ...(takes('hint') ? { hint: entry.hint } : {}),
  };
}

/** An identity as SPIRE's entry; with a mask, only the fields that it names, and the id. */
export function entryMessage({ id, body, ownership, createdAtSeconds }: Declared<IdentityBody>, mask?: EntryMask): Entry {
  const shows = (field: keyof EntryMask): boolean => mask?.[field] ?? true;
  return {
    id,
    spiffeId: shows('spiffeId') ? spiffeIdMessage(parseSpiffeId(body.spiffeId)) : undefined,
    parentId: shows('parentId') ? spiffeIdMessage(parseSpiffeId(body.parentId)) : undefined,
    selectors: shows('selectors') ? body.selectors.map(selectorMessage) : [],
    x509SvidTtl: shows('x509SvidTtl') ? body.x509SvidTtlSeconds : 0,
    federatesWith: shows('federatesWith') ? [...body.federatesWith] : [],
    admin: false,
    downstream: false,
    expiresAt: 0n,
    dnsNames: shows('dnsNames') ? [...body.dnsNames] : [],
    // SPIRE counts from 0.
    revisionNumber: shows('revisionNumber') ? ownership.generation - 1n : 0n,
    storeSvid: false,
    jwtSvidTtl: 0,
    hint: shows('hint') ? body.hint : '',
    createdAt: shows('createdAt') ? BigInt(createdAtSeconds) : 0n,
    additionalAttributes: undefined,
  };
}
