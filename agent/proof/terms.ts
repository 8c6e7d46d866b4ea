import { SymbolonError } from '#core/errors/error';
import { decodeFlow, encodeFlow, type Flow } from '#core/network/flow';
import type { Grant } from '#core/policy/model';
import { PairRequestTerms, PairResponseTerms, ProofMode, Protection } from '#proto/gen/symbolon/agent/session';
import { X25519_BYTES } from './x25519.ts';

const VERSION = 1;
/** The one address plan so far. */
const REALM = 0;
/** More grants than eight protocols of eight ranges fit no gate. */
const MAX_GRANTS = 64;
/** A pair that asks to live longer is no mistake that should be repeated for a day. */
const MAX_LIFETIME_SECONDS = 86_400;

/** What the initiator signs. `x25519` empty: no forward secrecy of the pair's own. */
export interface RequestTerms {
  readonly flow: Flow;
  readonly x25519: Uint8Array;
  readonly replaces?: string;
  readonly generation: bigint;
}

/** What the responder signs. */
export interface ResponseTerms {
  readonly lifetimeSeconds: number;
  readonly x25519: Uint8Array;
  readonly grants: readonly Grant[];
  readonly generation: bigint;
}

function unsupported(what: string): never {
  throw new SymbolonError('PAIR_REFUSED', `the peer asks for ${what}, which this agent does not support`, { reason: 'unsupported' });
}

function malformed(what: string): never {
  throw new SymbolonError('PAIR_REFUSED', `the terms of the pair are malformed: ${what}`, { reason: 'bad-authenticator' });
}

function checkShare(share: Uint8Array): void {
  if (share.length !== 0 && share.length !== X25519_BYTES) malformed(`an X25519 share of ${share.length} bytes`);
}

export function encodeRequestTerms(terms: RequestTerms): Buffer {
  const message = PairRequestTerms.fromPartial({
    version: VERSION,
    flow: Buffer.from(encodeFlow(terms.flow, REALM)),
    initiatorIsClient: true,
    x25519: Buffer.from(terms.x25519),
    replaces: Buffer.from(terms.replaces ?? '', 'hex'),
    protections: [Protection.PROTECTION_AUTHENTICATED],
    proofModes: [ProofMode.PROOF_MODE_NONE],
    generations: { viewRevision: terms.generation },
  });
  return Buffer.from(PairRequestTerms.encode(message).finish());
}

/** Throws PAIR_REFUSED or FLOW_INVALID. */
export function decodeRequestTerms(bytes: Uint8Array): RequestTerms {
  const message = PairRequestTerms.decode(bytes);
  if (message.version !== VERSION) return unsupported(`version ${message.version} of pair authentication`);
  const { flow, realm } = decodeFlow(message.flow);
  if (realm !== REALM) return unsupported(`realm ${realm}`);
  if (!message.initiatorIsClient) return unsupported('a pair started by the server side');
  if (!message.protections.includes(Protection.PROTECTION_AUTHENTICATED)) return unsupported('a protection above authenticated');
  if (!message.proofModes.includes(ProofMode.PROOF_MODE_NONE)) return unsupported('a connection proof');
  checkShare(message.x25519);
  if (message.replaces.length !== 0 && message.replaces.length !== 16) return malformed(`a pair id of ${message.replaces.length} bytes`);
  return {
    flow,
    x25519: message.x25519,
    generation: message.generations?.viewRevision ?? 0n,
    ...(message.replaces.length > 0 && { replaces: message.replaces.toString('hex') }),
  };
}

export function encodeResponseTerms(terms: ResponseTerms): Buffer {
  const message = PairResponseTerms.fromPartial({
    version: VERSION,
    lifetimeSeconds: terms.lifetimeSeconds,
    x25519: Buffer.from(terms.x25519),
    protection: Protection.PROTECTION_AUTHENTICATED,
    proofMode: ProofMode.PROOF_MODE_NONE,
    grants: [...terms.grants],
    generations: { viewRevision: terms.generation },
  });
  return Buffer.from(PairResponseTerms.encode(message).finish());
}

function checkGrant(grant: Grant): Grant {
  const { protocol, lowPort, highPort } = grant;
  if (protocol > 255 || lowPort > highPort || highPort > 65_535)
    malformed(`a grant of protocol ${protocol}, ports ${lowPort} to ${highPort}`);
  return { protocol, lowPort, highPort };
}

/** Throws PAIR_REFUSED. */
export function decodeResponseTerms(bytes: Uint8Array): ResponseTerms {
  const message = PairResponseTerms.decode(bytes);
  if (message.version !== VERSION) return unsupported(`version ${message.version} of pair authentication`);
  if (message.protection !== Protection.PROTECTION_AUTHENTICATED) return unsupported('a protection that was not offered');
  if (message.proofMode !== ProofMode.PROOF_MODE_NONE) return unsupported('a proof mode that was not offered');
  if (message.grants.length === 0 || message.grants.length > MAX_GRANTS) return malformed(`${message.grants.length} grants`);
  if (message.lifetimeSeconds === 0 || message.lifetimeSeconds > MAX_LIFETIME_SECONDS)
    return malformed(`a lifetime of ${message.lifetimeSeconds} s`);
  checkShare(message.x25519);
  return {
    lifetimeSeconds: message.lifetimeSeconds,
    x25519: message.x25519,
    grants: message.grants.map(checkGrant),
    generation: message.generations?.viewRevision ?? 0n,
  };
}
