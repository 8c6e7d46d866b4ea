import { nodeNameOf } from '#core/registration/node-id';
import { type TrustDomain, trustDomainOf } from '#core/spiffe/id';
import { SymbolonError } from '#core/errors/error';
import type { X509Svid } from '#core/spiffe/svid';
import { type AgentRecord, findAgent, writeAgent } from '../store/agents.ts';
import { findObjects } from '../store/objects.ts';
import type { StoreTransaction } from '../store/schema.ts';
import { nodeRefusal } from './attest.ts';

/**
 * The attested node that an SVID stands for, now: a declared node, not banned, and the SVID is the newest issued to it or the one that the
 * newest renews. The first use of a renewed SVID retires its predecessor. Throws PERMISSION_DENIED.
 */
export async function attestedNode(tx: StoreTransaction, trustDomain: TrustDomain, svid: X509Svid): Promise<AgentRecord> {
  const node = nodeNameOf(svid.id);
  if (node === undefined || trustDomainOf(svid.id) !== trustDomain) {
    throw new SymbolonError('PERMISSION_DENIED', `${svid.id} is no node of ${trustDomain}; only node agents may call this`, {
      what: svid.id,
    });
  }
  if ((await findObjects(tx, 'node', 'name', node)).length === 0) throw nodeRefusal(trustDomain, node, 'is not declared any more');
  const agent = await findAgent(tx, node);
  if (!agent) throw nodeRefusal(trustDomain, node, 'has been evicted; it must join again with a new token');
  if (agent.banned) throw nodeRefusal(trustDomain, node, 'is banned');
  if (svid.serialNumber === agent.serialNumber) return agent;
  if (svid.serialNumber !== agent.nextSerialNumber) {
    throw nodeRefusal(trustDomain, node, 'has a newer SVID than the one presented, which is no longer accepted');
  }
  const { nextSerialNumber, ...rest } = agent;
  const promoted = { ...rest, serialNumber: nextSerialNumber };
  await writeAgent(tx, promoted);
  return promoted;
}
