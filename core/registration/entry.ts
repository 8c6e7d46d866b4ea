import { SymbolonError } from '#core/errors/error';
import type { IpAddress } from '#core/network/address';
import { pathOf, type SpiffeId, type TrustDomain, trustDomainOf } from '#core/spiffe/id';
import { isReservedId, nodeNameOf } from './node-id.ts';
import type { Selector } from './selector.ts';

/**
 * What must be proven for a workload: `off` = it is unmanaged; `inbound` = everything that reaches it must be proven, its own traffic to
 * addresses in no directory is free; `all` = both ways.
 */
export type Enforcement = 'off' | 'inbound' | 'all';
export const ENFORCEMENTS: readonly Enforcement[] = ['off', 'inbound', 'all'];
/** Applies where neither the identity nor the trust domain says otherwise. */
export const DEFAULT_ENFORCEMENT: Enforcement = 'all';

/** The longest lifetime of an X509-SVID that anybody can have meant: 366 days. */
export const MAX_X509_SVID_TTL_SECONDS = 366 * 24 * 3600;

/** A registration entry: who a workload is, if it runs on the node `parentId` and bears all the selectors. */
export interface RegistrationEntry {
  readonly id: string;
  readonly spiffeId: SpiffeId;
  readonly parentId: SpiffeId;
  readonly selectors: readonly Selector[];
  /** The workload's own addresses. Empty: whatever the node finds, inside the node's prefixes. */
  readonly addresses: readonly IpAddress[];
  readonly federatesWith: readonly TrustDomain[];
  /** Seconds; 0 = the trust domain's default. */
  readonly x509SvidTtlSeconds: number;
  readonly dnsNames: readonly string[];
  readonly hint: string;
  /** Undefined: the trust domain's. */
  readonly enforcement?: Enforcement;
  /** Counts the changes of this entry, from 0 (SPIRE's revision number). */
  readonly revision: bigint;
}

/** Refuses an entry that no authority of the trust domain may hold. Throws ENTRY_INVALID. */
export function checkEntry(entry: Omit<RegistrationEntry, 'id' | 'revision'>, trustDomain: TrustDomain): void {
  const fail = (field: string, value: string, why: string): never => {
    throw new SymbolonError('ENTRY_INVALID', `${field} ${JSON.stringify(value)} ${why}`, { field, value });
  };
  if (trustDomainOf(entry.spiffeId) !== trustDomain) fail('spiffe_id', entry.spiffeId, `is not of the trust domain ${trustDomain}`);
  if (pathOf(entry.spiffeId) === '') fail('spiffe_id', entry.spiffeId, 'has no path; a workload needs one, like /payments');
  if (isReservedId(entry.spiffeId)) fail('spiffe_id', entry.spiffeId, 'lies under /symbolon/, which is reserved for the system');
  if (trustDomainOf(entry.parentId) !== trustDomain) fail('parent_id', entry.parentId, `is not of the trust domain ${trustDomain}`);
  if (nodeNameOf(entry.parentId) === undefined)
    fail('parent_id', entry.parentId, 'is not a node ID like spiffe://<trust domain>/symbolon/node/<name>');
  if (entry.selectors.length === 0) fail('selectors', '', 'are missing; without one every process of the node would match');
  if (!Number.isInteger(entry.x509SvidTtlSeconds) || entry.x509SvidTtlSeconds < 0)
    fail('x509_svid_ttl', String(entry.x509SvidTtlSeconds), 'is not a number of whole seconds from 0');
}
