import type { IpAddress } from '#core/network/address';
import type { SpiffeId } from '#core/spiffe/id';
import type { NodeDirectory } from './directory.ts';

/** Why a node may not speak for a workload. */
export type PlacementRefusal = 'not-issued-to-node' | 'no-placement' | 'address-not-of-node' | 'node-unknown';

/**
 * May `node` speak for a workload at `address`, whose SVID says that it was issued to `issuedToNode`? Undefined means yes.
 * Both must hold: the SVID was issued to that very node, and the node owns the address by the directory (longest prefix).
 */
export function maySpeakFor(
  directory: NodeDirectory,
  node: SpiffeId,
  issuedToNode: SpiffeId | undefined,
  address: IpAddress,
): PlacementRefusal | undefined {
  if (!directory.nodes.has(node)) return 'node-unknown';
  if (issuedToNode === undefined) return 'no-placement';
  if (issuedToNode !== node) return 'not-issued-to-node';
  if (directory.nodeOf(address)?.nodeId !== node) return 'address-not-of-node';
  return undefined;
}
