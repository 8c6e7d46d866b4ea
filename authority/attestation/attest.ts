import type { KeyObject } from 'node:crypto';
import { SymbolonError } from '#core/errors/error';
import { nodeSpiffeId } from '#core/registration/node-id';
import type { TrustDomain } from '#core/spiffe/id';
import type { Instant } from '#core/time/instant';
import type { CertificateAuthority } from '../ca/certificate-authority.ts';
import { type IssuedSvid, issueSvid } from '../ca/issue.ts';
import type { NodeBody } from '../registry/node.ts';
import { DEFAULT_SVID_TTL_SECONDS } from '../registry/settings.ts';
import { type AgentRecord, findAgent, writeAgent } from '../store/agents.ts';
import { findJoinToken, takeJoinToken } from '../store/join-tokens.ts';
import { findObjects } from '../store/objects.ts';
import type { StoreTransaction } from '../store/schema.ts';
import { readSettings } from '../store/settings.ts';
import type { Store } from '../store/store.ts';

export const secondsOf = (at: Instant): number => Math.floor(at / 1000);

function issueToNode(ca: CertificateAuthority, node: string, publicKey: KeyObject, ttlSeconds: number, at: Instant): Promise<IssuedSvid> {
  return issueSvid(ca, { id: nodeSpiffeId(ca.trustDomain, node), publicKey, ttlSeconds: ttlSeconds || DEFAULT_SVID_TTL_SECONDS }, at);
}

/** One answer for every reason: a stranger learns nothing about which tokens exist. The reason is the cause, which is logged and never sent. */
function refused(why: string): SymbolonError {
  const text = 'the join token is not valid: unknown, used already or expired; make a new one';
  return new SymbolonError('TOKEN_REFUSED', text, { what: 'join token' }, why);
}

/** Refuses whoever has no token that is valid now. Uses nothing up. Throws TOKEN_REFUSED. */
export async function checkJoinToken(store: Store, token: string, at: Instant): Promise<void> {
  const found = await store.transact((tx) => findJoinToken(tx, token));
  if (!found) throw refused('unknown');
  if (found.expiresAtSeconds <= secondsOf(at)) throw refused('expired');
}

/**
 * Turns a join token into a node's SVID for the key. The token is used up even if it has expired; the node's previous SVID is no longer accepted.
 * Throws TOKEN_REFUSED, PERMISSION_DENIED for a banned node.
 */
export async function attestByJoinToken(
  store: Store,
  ca: CertificateAuthority,
  token: string,
  publicKey: KeyObject,
  at: Instant,
): Promise<{ readonly node: string; readonly svid: IssuedSvid; readonly attestation: number }> {
  const outcome = await store.transact(async (tx) => {
    const taken = await takeJoinToken(tx, token);
    // Errors that must not undo the taking of the token are returned, not thrown.
    if (!taken) return refused('unknown');
    if (taken.expiresAtSeconds <= secondsOf(at)) return refused('expired');
    const { node } = taken;
    if ((await findObjects<NodeBody>(tx, 'node', 'name', node)).length === 0) return refused('the node is not declared any more');
    const before = await findAgent(tx, node);
    if (before?.banned) return new SymbolonError('PERMISSION_DENIED', `the node ${node} is banned`, { what: node });
    const svid = await issueToNode(ca, node, publicKey, (await readSettings(tx)).body.x509SvidTtlSeconds, at);
    const attestation = (before?.attestation ?? 0) + 1;
    await writeAgent(tx, {
      node,
      attestationType: 'join_token',
      serialNumber: svid.serialNumber,
      expiresAtSeconds: secondsOf(svid.notAfter),
      attestation,
      banned: false,
    });
    return { node, svid, attestation };
  });
  if (outcome instanceof SymbolonError) throw outcome;
  return outcome;
}

/** A new SVID for an attested node; the one that it has stays good until the new one is used. */
export async function renewNode(
  tx: StoreTransaction,
  ca: CertificateAuthority,
  agent: AgentRecord,
  publicKey: KeyObject,
  at: Instant,
): Promise<IssuedSvid> {
  const svid = await issueToNode(ca, agent.node, publicKey, (await readSettings(tx)).body.x509SvidTtlSeconds, at);
  await writeAgent(tx, { ...agent, nextSerialNumber: svid.serialNumber, expiresAtSeconds: secondsOf(svid.notAfter) });
  return svid;
}

/** What an SVID says to be a node of the trust domain must still be one here. */
export function nodeRefusal(trustDomain: TrustDomain, node: string, why: string): SymbolonError {
  return new SymbolonError('PERMISSION_DENIED', `${nodeSpiffeId(trustDomain, node)} ${why}`, { what: node });
}
