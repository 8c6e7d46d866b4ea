import { createHash } from 'node:crypto';
import { Writer } from './wire/writer.ts';

function labelled(label: string, parts: readonly Uint8Array[]): Buffer {
  const out = new Writer().vector(Buffer.from(label, 'latin1'), 1);
  for (const part of parts) out.vector(part, 3);
  return createHash('sha256').update(out.done()).digest();
}

/** What the initiator's leaf entry binds: its terms, and the context and schemes with which it demands the responder's answer. */
export function initiatorBinding(requestTerms: Uint8Array, demandContext: Uint8Array, demandSchemes: readonly number[]): Buffer {
  const schemes = new Writer();
  for (const code of demandSchemes) schemes.uint(code, 2);
  return labelled('symbolon-pair/1 initiator', [requestTerms, demandContext, schemes.done()]);
}

/** What the initiator's demand binds, and the responder signs with it: the terms and the initiator's whole authenticator. */
export function demandBinding(requestTerms: Uint8Array, initiatorAuthenticator: Uint8Array): Buffer {
  return labelled('symbolon-pair/1 demand', [requestTerms, initiatorAuthenticator]);
}

/** What the responder's leaf entry binds: that it accepts, on these terms. */
export function responderBinding(responseTerms: Uint8Array): Buffer {
  return labelled('symbolon-pair/1 accepted', [responseTerms]);
}
