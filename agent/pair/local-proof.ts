import { randomBytes } from 'node:crypto';
import { SymbolonError } from '#core/errors/error';
import type { Flow } from '#core/network/flow';
import type { SpiffeId } from '#core/spiffe/id';
import { addMs, earliest, type Instant } from '#core/time/instant';
import type { PairJudge, ProvenPair } from '../proof/contract.ts';
import { grantsCover, intersectGrants } from '../proof/grants.ts';
import { localCredential } from '../proof/local-credential.ts';

/**
 * Both ends of a pair whose two workloads are on this node: the node holds both keys and attested both, so nothing is to be proven to
 * anybody; SVIDs, placement and both sides' policies are judged as for any other pair. Throws PAIR_REFUSED.
 */
export function proveLocally(
  judge: PairJudge,
  node: SpiffeId,
  flow: Flow,
  at: Instant,
): { readonly client: ProvenPair; readonly server: ProvenPair } {
  const source = localCredential(judge, flow, 'source');
  const destination = localCredential(judge, flow, 'destination');
  const client = judge.verifySvid(source.svid.chain);
  const server = judge.verifySvid(destination.svid.chain);
  const egress = judge.judge({ peerNode: node, peer: server, local: client.id, flow, peerEnd: 'destination' });
  if (egress.verdict === 'refused') throw new SymbolonError('PAIR_REFUSED', egress.detail, { reason: egress.reason });
  const ingress = judge.judge({ peerNode: node, peer: client, local: server.id, flow, peerEnd: 'source' });
  if (ingress.verdict === 'refused') throw new SymbolonError('PAIR_REFUSED', ingress.detail, { reason: ingress.reason });
  const grants = intersectGrants(egress.grants, ingress.grants);
  if (!grantsCover(grants, flow))
    throw new SymbolonError('PAIR_REFUSED', 'the two sides allow different ports', { reason: 'denied-by-policy' });
  const pairId = randomBytes(16).toString('hex');
  const expiresAt = earliest(addMs(at, judge.lifetimeSeconds * 1000), client.notAfter, server.notAfter);
  const both = { pairId, flow, expiresAt, serverGrants: ingress.grants };
  return {
    client: { ...both, role: 'client', local: client, peer: server, grants },
    server: { ...both, role: 'server', local: server, peer: client, grants: ingress.grants },
  };
}
