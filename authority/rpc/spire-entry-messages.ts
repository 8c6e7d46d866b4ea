import { SymbolonError } from '#core/errors/error';
import { parseSpiffeId } from '#core/spiffe/id';
import type { Entry, EntryMask } from '#proto/gen/spire/types';
import type { IdentityBody } from '../registry/identity.ts';
import type { Declared } from '../registry/object.ts';
import { selectorMessage, selectorText, spiffeIdFrom, spiffeIdMessage } from './spire-types.ts';

/** Is the field of an entry meant? Without a mask, all are. */
function takes(mask: EntryMask | undefined, field: keyof EntryMask): boolean {
  return mask?.[field] ?? true;
}

/** What SPIRE's entries can say and ours cannot yet: each that the mask takes must have its default. */
function checkUnsupported(entry: Entry, mask?: EntryMask): void {
  const attributes = takes(mask, 'additionalAttributes') ? entry.additionalAttributes : undefined;
  const asked = Object.entries({
    admin: takes(mask, 'admin') && entry.admin,
    downstream: takes(mask, 'downstream') && entry.downstream,
    store_svid: takes(mask, 'storeSvid') && entry.storeSvid,
    expires_at: takes(mask, 'expiresAt') && entry.expiresAt !== 0n,
    jwt_svid_ttl: takes(mask, 'jwtSvidTtl') && entry.jwtSvidTtl !== 0,
    'additional_attributes.disable_x509_svid_prefetch': attributes?.disableX509SvidPrefetch ?? false,
    'additional_attributes.jwt_svid_include_jti': attributes?.jwtSvidIncludeJti ?? false,
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
  checkUnsupported(entry, mask);
  return {
    ...before,
    ...(takes(mask, 'spiffeId') ? { spiffeId: spiffeIdFrom(entry.spiffeId, 'spiffe_id') } : {}),
    ...(takes(mask, 'parentId') ? { parentId: spiffeIdFrom(entry.parentId, 'parent_id') } : {}),
    ...(takes(mask, 'selectors') ? { selectors: entry.selectors.map(selectorText) } : {}),
    ...(takes(mask, 'federatesWith') ? { federatesWith: entry.federatesWith } : {}),
    ...(takes(mask, 'x509SvidTtl') ? { x509SvidTtlSeconds: entry.x509SvidTtl } : {}),
    ...(takes(mask, 'dnsNames') ? { dnsNames: entry.dnsNames } : {}),
    ...(takes(mask, 'hint') ? { hint: entry.hint } : {}),
  };
}

/** An identity as SPIRE's entry; with a mask, only the fields that it names, and the id. */
export function entryMessage({ id, body, ownership, createdAtSeconds }: Declared<IdentityBody>, mask?: EntryMask): Entry {
  return {
    id,
    spiffeId: takes(mask, 'spiffeId') ? spiffeIdMessage(parseSpiffeId(body.spiffeId)) : undefined,
    parentId: takes(mask, 'parentId') ? spiffeIdMessage(parseSpiffeId(body.parentId)) : undefined,
    selectors: takes(mask, 'selectors') ? body.selectors.map(selectorMessage) : [],
    x509SvidTtl: takes(mask, 'x509SvidTtl') ? body.x509SvidTtlSeconds : 0,
    federatesWith: takes(mask, 'federatesWith') ? [...body.federatesWith] : [],
    admin: false,
    downstream: false,
    expiresAt: 0n,
    dnsNames: takes(mask, 'dnsNames') ? [...body.dnsNames] : [],
    // SPIRE counts from 0.
    revisionNumber: takes(mask, 'revisionNumber') ? ownership.generation - 1n : 0n,
    storeSvid: false,
    jwtSvidTtl: 0,
    hint: takes(mask, 'hint') ? body.hint : '',
    createdAt: takes(mask, 'createdAt') ? BigInt(createdAtSeconds) : 0n,
    additionalAttributes: undefined,
  };
}
