import { createHash, hkdfSync } from 'node:crypto';
import type { Exporter } from './authenticator/secrets.ts';
import { Writer } from './wire/writer.ts';

/** RFC 5705 section 4: labels that start with EXPERIMENTAL need no registration. */
const LABEL = 'EXPERIMENTAL-symbolon-pair-v1';
const SIPHASH_BYTES = 16;
/** AES-256 key and a 4-byte salt (RFC 4106 section 8.1). */
const ESP_BYTES = 36;
const ID_BYTES = 16;

/** What both ends derive from one exchange. Never used twice: lost state means a new exchange. */
export interface PairKeys {
  /** 16 bytes, lower-case hex. */
  readonly pairId: string;
  readonly siphash: { readonly toResponder: Buffer; readonly toInitiator: Buffer };
  readonly esp: { readonly toResponder: Buffer; readonly toInitiator: Buffer };
}

/**
 * Keys of one pair: the connection's exporter over both authenticators and the demand between them; `sharedSecret` (X25519) mixed in by
 * HKDF keeps them secret from whoever learns the connection's secrets later.
 */
export function derivePairKeys(
  exporter: Exporter,
  exchange: { readonly initiator: Uint8Array; readonly demand: Uint8Array; readonly responder: Uint8Array },
  sharedSecret?: Uint8Array,
): PairKeys {
  const transcript = new Writer().vector(exchange.initiator, 3).vector(exchange.demand, 3).vector(exchange.responder, 3).done();
  const total = 2 * SIPHASH_BYTES + 2 * ESP_BYTES + ID_BYTES;
  const exported = exporter(LABEL, createHash('sha256').update(transcript).digest(), total);
  const material = sharedSecret ? Buffer.from(hkdfSync('sha256', sharedSecret, exported, LABEL, total)) : exported;
  let at = 0;
  const next = (length: number): Buffer => material.subarray(at, (at += length));
  const siphash = { toResponder: next(SIPHASH_BYTES), toInitiator: next(SIPHASH_BYTES) };
  const esp = { toResponder: next(ESP_BYTES), toInitiator: next(ESP_BYTES) };
  return { pairId: next(ID_BYTES).toString('hex'), siphash, esp };
}
