import type { Socket } from 'node:net';
import type { X509Svid } from '#core/spiffe/svid';

/**
 * Who is at the other end of the connection a call came by: a local process on a unix socket (`socket` is that connection, for SO_PEERCRED),
 * the holder of a verified X509-SVID, or a TLS client that presented no certificate.
 */
export type Caller =
  | { readonly kind: 'socket'; readonly socket: Socket }
  | { readonly kind: 'svid'; readonly svid: X509Svid }
  | { readonly kind: 'anonymous' };

export const ANONYMOUS: Caller = { kind: 'anonymous' };

/** A caller for logs and messages. */
export function describeCaller(caller: Caller): string {
  if (caller.kind === 'svid') return caller.svid.id;
  return caller.kind === 'socket' ? 'a local process' : 'a caller without a certificate';
}
