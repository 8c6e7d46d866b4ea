import { SymbolonError } from '#core/errors/error';
import type { Flow } from '#core/network/flow';
import { Verdict, type PairRequest, type PairResponse } from '#proto/gen/symbolon/agent/session';
import type { AuthenticatorRequest } from './authenticator/message.ts';
import { OFFERED_SCHEMES } from './authenticator/scheme.ts';
import { parseAuthenticator } from './authenticator/parse.ts';
import { signAuthenticator } from './authenticator/sign.ts';
import { validateAuthenticator } from './authenticator/validate.ts';
import { demandBinding, initiatorBinding, responderBinding } from './binding.ts';
import { grantsCover, intersectGrants } from './grants.ts';
import { derivePairId } from './pair-id.ts';
import { agreeX25519, newX25519Share, type X25519Share } from './x25519.ts';
import type { Credential, PairOutcome } from './contract.ts';
import { type ExchangeContext, pairExpiry } from './exchange.ts';
import { localCredential } from './local-credential.ts';
import { refusalOfError, refused } from './refusal.ts';
import { decodeResponseTerms, encodeRequestTerms } from './terms.ts';
import { refusalOf } from './verdict.ts';

/** A request on its way, and what is needed to judge its answer. */
export interface StartedPair {
  readonly request: Omit<PairRequest, 'id'>;
  readonly flow: Flow;
  readonly local: Credential;
  readonly demand: AuthenticatorRequest;
  readonly share: X25519Share | undefined;
  readonly replaces: string | undefined;
}

/** `abandoned`: the responder believes this pair live although we refuse it; it must be told. */
export interface FinishedPair {
  readonly outcome: PairOutcome;
  readonly abandoned?: string;
}

/** Signs the request for a pair with a credit of the peer. Throws SymbolonError. */
export async function startPair(x: ExchangeContext, credit: AuthenticatorRequest, flow: Flow, replaces?: string): Promise<StartedPair> {
  const local = localCredential(x.judge, flow, 'source');
  x.ledger.claim('credit', credit);
  const share = x.forwardSecrecy ? newX25519Share() : undefined;
  const terms = encodeRequestTerms({
    flow,
    x25519: share?.publicBytes ?? Buffer.alloc(0),
    generation: x.judge.generation(),
    ...(replaces !== undefined && { replaces }),
  });
  const context = x.ledger.reserve('demand');
  const identity = { chain: local.svid.chain, privateKey: local.privateKey };
  const authenticator = await signAuthenticator(x.secrets, credit, identity, initiatorBinding(terms, context, OFFERED_SCHEMES));
  const demand = x.ledger.issue('demand', context, demandBinding(terms, authenticator));
  const request = { terms, authenticator, authenticatorRequest: Buffer.from(demand.bytes) };
  return { request, flow, local, demand, share, replaces };
}

/** Judges the peer's answer: its authenticator, the SVID, placement and this side's policy. Never throws. */
export async function finishPair(x: ExchangeContext, started: StartedPair, response: PairResponse): Promise<FinishedPair> {
  const demand = x.ledger.take('demand', started.demand.context);
  if (response.verdict !== Verdict.VERDICT_ACCEPTED)
    return { outcome: refused(refusalOf(response.verdict), response.detail.slice(0, 500)) };
  if (!demand) return { outcome: refused('session-lost', 'the answer came too late') };
  let pairId: string | undefined;
  try {
    const terms = decodeResponseTerms(response.terms);
    const authenticator = parseAuthenticator(response.authenticator);
    if (started.share === undefined && terms.x25519.length > 0) {
      throw new SymbolonError('AUTHENTICATOR_INVALID', 'the peer sent an X25519 share that was not asked for', { rule: 'x25519' });
    }
    const secret = started.share && agreeX25519(started.share, terms.x25519);
    const exchange = { initiator: started.request.authenticator, demand: demand.bytes, responder: response.authenticator };
    pairId = derivePairId(x.secrets.exporter, exchange, secret);
    const binding = responderBinding(response.terms);
    const peer = await validateAuthenticator(x.secrets, authenticator, demand, binding, (chain) => x.judge.verifySvid(chain));

    const { flow, replaces } = started;
    const local = started.local.svid;
    const judged = x.judge.judge({ peerNode: x.peerNode.id, peer, local: local.id, flow, peerEnd: 'destination' });
    if (judged.verdict === 'refused') return { outcome: judged, abandoned: pairId };
    const grants = intersectGrants(judged.grants, terms.grants);
    if (!grantsCover(grants, flow))
      return { outcome: refused('denied-by-policy', 'the peer grants other ports than those asked for'), abandoned: pairId };
    const expiresAt = pairExpiry(x, terms.lifetimeSeconds, local, peer);
    const pair = { pairId, role: 'client', flow, local, peer, grants, serverGrants: terms.grants, expiresAt } as const;
    return { outcome: { verdict: 'accepted', ...pair, ...(replaces !== undefined && { replaces }) } };
  } catch (error) {
    return { outcome: refusalOfError(error), ...(pairId !== undefined && { abandoned: pairId }) };
  }
}
