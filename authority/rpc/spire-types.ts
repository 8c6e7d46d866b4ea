import { SymbolonError } from '#core/errors/error';
import { formatSelector, parseSelector } from '#core/registration/selector';
import { parseSpiffeId, pathOf, type SpiffeId, trustDomainOf } from '#core/spiffe/id';
import { statusCodeOf } from '#daemon/grpc/status';
import type { Selector as SelectorMessage, SPIFFEID, Status, X509SVID } from '#proto/gen/spire/types';
import type { IssuedSvid } from '../ca/issue.ts';

/** An ID in SPIRE's two parts. */
export function spiffeIdMessage(id: SpiffeId): SPIFFEID {
  return { trustDomain: trustDomainOf(id), path: pathOf(id) };
}

/** Throws REQUEST_INVALID if it is missing, SPIFFE_ID_INVALID. */
export function spiffeIdFrom(message: SPIFFEID | undefined, field: string): SpiffeId {
  if (!message) throw new SymbolonError('REQUEST_INVALID', `the request has no ${field}`, { field, value: '' });
  return parseSpiffeId(`spiffe://${message.trustDomain}${message.path}`);
}

export function selectorMessage(text: string): SelectorMessage {
  return parseSelector(text);
}

export function selectorText(message: SelectorMessage): string {
  return formatSelector(message);
}

export function x509SvidMessage(svid: IssuedSvid, hint = ''): X509SVID {
  return {
    certChain: svid.chain.map((der) => Buffer.from(der)),
    id: spiffeIdMessage(svid.id),
    expiresAt: BigInt(Math.floor(svid.notAfter / 1000)),
    hint,
  };
}

export const OK: Status = { code: 0, message: 'OK' };

/** The status of one item of a batch. Faults of ours end the whole call. */
export function itemStatus(error: unknown): Status {
  if (!(error instanceof SymbolonError)) throw error;
  return { code: statusCodeOf(error), message: error.message };
}
