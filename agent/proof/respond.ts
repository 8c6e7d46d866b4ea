import { SymbolonError } from '#core/errors/error';
import type { PairRequest } from '#proto/gen/symbolon/agent/session';
import { bindingOf, type AuthenticatorRequest, BINDING_EXTENSION, SIGNATURE_ALGORITHMS } from './authenticator/message.ts';
import { parseAuthenticator, parseRequest } from './authenticator/parse.ts';
import { signAuthenticator } from './authenticator/sign.ts';
import { validateAuthenticator } from './authenticator/validate.ts';
import { demandBinding, initiatorBinding, responderBinding } from './binding.ts';
import { derivePairId } from './pair-id.ts';
import { agreeX25519, newX25519Share } from './x25519.ts';
import type { X509Svid } from '#core/spiffe/svid';
import type { ProvenPair, Refusal } from './contract.ts';
import { type ExchangeContext, pairExpiry } from './exchange.ts';
import { localCredential } from './local-credential.ts';
import { refusalOfError, refused } from './refusal.ts';
import { decodeRequestTerms, encodeResponseTerms, type RequestTerms } from './terms.ts';

/** How often an answer is made anew because what it rests on changed while it was signed. */
const MAX_ATTEMPTS = 3;

export type PairAnswer = Refusal | { readonly verdict: 'accepted'; readonly terms: Buffer; readonly authenticator: Buffer };

/**
 * Answers a peer's request: its authenticator for one of our credits, the bindings, the SVID, placement and this side's policy, then our
 * workload's authenticator. `admit` writes the pair's rows; it is called in the same turn in which the generation was seen unchanged, before
 * the answer can leave, and may throw to refuse. Never throws.
 */
export async function answerPair(x: ExchangeContext, request: PairRequest, admit: (pair: ProvenPair) => void): Promise<PairAnswer> {
  try {
    const terms = decodeRequestTerms(request.terms);
    const demand = parseRequest(request.authenticatorRequest);
    const peer = await proveInitiator(x, request, demand);
    x.ledger.claim('demand', demand);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const answer = await answerOnce(x, request, terms, demand, peer, admit);
      if (answer) return answer;
    }
    return refused('overloaded', 'the node changed faster than the pair could be judged; try again');
  } catch (error) {
    return refusalOfError(error);
  }
}

async function proveInitiator(x: ExchangeContext, request: PairRequest, demand: AuthenticatorRequest): Promise<X509Svid> {
  const authenticator = parseAuthenticator(request.authenticator);
  const credit = x.ledger.take('credit', authenticator.context);
  if (!credit) throw new SymbolonError('PAIR_REFUSED', 'the authenticator answers no open credit', { reason: 'no-credit' });
  const bound = demand.extensions.find((e) => e.type === BINDING_EXTENSION)?.data;
  // Nothing may stand in the demand that the initiator's workload has not signed.
  const extra = demand.extensions.some((e) => e.type !== BINDING_EXTENSION && e.type !== SIGNATURE_ALGORITHMS);
  if (extra || !bound || !demandBinding(request.terms, request.authenticator).equals(bound) || !bindingOf(authenticator)) {
    throw new SymbolonError('AUTHENTICATOR_INVALID', 'the demand does not bind the request that it came with', { rule: 'binding' });
  }
  const binding = initiatorBinding(request.terms, demand.context, demand.schemes);
  return validateAuthenticator(x.secrets, authenticator, credit, binding, (chain) => x.judge.verifySvid(chain));
}

/** One attempt; undefined if the generation changed meanwhile. */
async function answerOnce(
  x: ExchangeContext,
  request: PairRequest,
  asked: RequestTerms,
  demand: AuthenticatorRequest,
  peer: X509Svid,
  admit: (pair: ProvenPair) => void,
): Promise<PairAnswer | undefined> {
  const { flow } = asked;
  const generation = x.judge.generation();
  const local = localCredential(x.judge, flow, 'destination');
  const judged = x.judge.judge({ peerNode: x.peerNode.id, peer, local: local.svid.id, flow, peerEnd: 'source' });
  if (judged.verdict === 'refused') return judged;
  const share = asked.x25519.length > 0 ? newX25519Share() : undefined;
  const secret = share && agreeX25519(share, asked.x25519);
  const { grants } = judged;
  const lifetimeSeconds = x.judge.lifetimeSeconds;
  const terms = encodeResponseTerms({ lifetimeSeconds, x25519: share?.publicBytes ?? Buffer.alloc(0), grants, generation });
  const identity = { chain: local.svid.chain, privateKey: local.privateKey };
  const authenticator = await signAuthenticator(x.secrets, demand, identity, responderBinding(terms));
  const exchange = { initiator: request.authenticator, demand: demand.bytes, responder: authenticator };
  const pairId = derivePairId(x.secrets.exporter, exchange, secret);

  if (x.judge.generation() !== generation) {
    x.judge.verifySvid(peer.chain);
    return undefined;
  }
  const expiresAt = pairExpiry(x, lifetimeSeconds, local.svid, peer);
  const pair = { pairId, role: 'server', flow, local: local.svid, peer, grants, serverGrants: grants, expiresAt } as const;
  admit({ ...pair, ...(asked.replaces !== undefined && { replaces: asked.replaces }) });
  return { verdict: 'accepted', terms, authenticator };
}
