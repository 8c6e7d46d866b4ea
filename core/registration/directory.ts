import { SymbolonError } from '#core/errors/error';
import type { IpAddress } from '#core/network/address';
import { type IpPrefix, PrefixTable, prefixesOverlap } from '#core/network/prefix';
import type { SpiffeId, TrustDomain } from '#core/spiffe/id';

/** Where a node agent is reached: an address and a TCP port. */
export interface AgentEndpoint {
  readonly address: IpAddress;
  readonly port: number;
}

/** A node that an authority has declared: the prefixes that it may speak for, and where its agent listens. */
export interface DirectoryNode {
  /** The trust domain whose authority says so. */
  readonly source: TrustDomain;
  readonly realm: number;
  readonly nodeId: SpiffeId;
  readonly kind: 'node' | 'gateway';
  readonly prefixes: readonly IpPrefix[];
  readonly endpoints: readonly AgentEndpoint[];
  readonly generation: bigint;
}

/** The node directory: address → the node that serves it. Immutable. */
export interface NodeDirectory {
  readonly nodes: ReadonlyMap<SpiffeId, DirectoryNode>;
  /** The node whose prefix matches the address longest, or undefined. */
  nodeOf(address: IpAddress): DirectoryNode | undefined;
}

/** Builds a directory. Throws DIRECTORY_INVALID if two nodes claim the same prefix. */
export function buildDirectory(nodes: readonly DirectoryNode[]): NodeDirectory {
  const table = new PrefixTable<DirectoryNode>();
  const claimed = new Map<string, SpiffeId>();
  const byId = new Map<SpiffeId, DirectoryNode>();
  for (const node of nodes) {
    byId.set(node.nodeId, node);
    for (const prefix of node.prefixes) {
      const other = claimed.get(prefix.text);
      if (other !== undefined && other !== node.nodeId) {
        throw new SymbolonError(
          'DIRECTORY_INVALID',
          `prefix ${prefix.text} is claimed by ${other} and by ${node.nodeId}; give it to one node`,
          {
            field: 'address_prefixes',
            value: prefix.text,
          },
        );
      }
      claimed.set(prefix.text, node.nodeId);
      table.set(prefix, node);
    }
  }
  return { nodes: byId, nodeOf: (address) => table.longestMatch(address) };
}

/** The first prefix of `wanted` that overlaps one of another node's, with that node; undefined if there is none. */
export function findPrefixConflict(
  wanted: readonly IpPrefix[],
  nodeId: SpiffeId,
  nodes: Iterable<DirectoryNode>,
): { readonly prefix: IpPrefix; readonly other: DirectoryNode } | undefined {
  for (const other of nodes) {
    if (other.nodeId === nodeId) continue;
    for (const prefix of wanted) if (other.prefixes.some((p) => prefixesOverlap(p, prefix))) return { prefix, other };
  }
  return undefined;
}
