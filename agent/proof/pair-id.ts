import { createHash, hkdfSync } from 'node:crypto';
import type { Exporter } from './authenticator/secrets.ts';
import { Writer } from './wire/writer.ts';

/** RFC 5705 section 4: labels that start with EXPERIMENTAL need no registration. */
const LABEL = 'EXPERIMENTAL-symbolon-pair-v1';
const ID_BYTES = 16;

/**
 * What both ends call a pair, 16 bytes in lower-case hex: the connection's exporter over both authenticators and the demand between them, with
 * `sharedSecret` (X25519) mixed in by HKDF. No two exchanges have the same.
 */
export function derivePairId(
  exporter: Exporter,
  exchange: { readonly initiator: Uint8Array; readonly demand: Uint8Array; readonly responder: Uint8Array },
  sharedSecret?: Uint8Array,
): string {
  const transcript = new Writer().vector(exchange.initiator, 3).vector(exchange.demand, 3).vector(exchange.responder, 3).done();
  const exported = exporter(LABEL, createHash('sha256').update(transcript).digest(), ID_BYTES);
  const id = sharedSecret ? Buffer.from(hkdfSync('sha256', sharedSecret, exported, LABEL, ID_BYTES)) : exported;
  return id.toString('hex');
}
