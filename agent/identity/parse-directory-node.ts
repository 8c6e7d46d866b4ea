import { SymbolonError } from '#core/errors/error';
import { parseIpPrefix } from '#core/network/prefix';
import { parseAgentEndpoint } from '#core/registration/agent-endpoint';
import type { DirectoryNode } from '#core/registration/directory';
import { isNodeOf } from '#core/registration/node-id';
import { parseSpiffeId, type TrustDomain } from '#core/spiffe/id';
import type { Node } from '#proto/gen/symbolon/authority/types';

/** A node from the wire, declared by the trust domain's own authority. Throws DIRECTORY_INVALID, or the parser's own error. */
export function parseDirectoryNode(node: Node, trustDomain: TrustDomain): DirectoryNode {
  const nodeId = parseSpiffeId(node.spiffeId);
  if (!isNodeOf(nodeId, trustDomain)) {
    throw new SymbolonError('DIRECTORY_INVALID', `${nodeId} is not the ID of a node of the trust domain ${trustDomain}`, {
      field: 'spiffe_id',
      value: nodeId,
    });
  }
  return {
    source: trustDomain,
    realm: 0,
    nodeId,
    kind: 'node',
    prefixes: node.addressPrefixes.map(parseIpPrefix),
    endpoints: node.endpoints.map(parseAgentEndpoint),
    generation: node.ownership?.generation ?? 0n,
  };
}
