import { SymbolonError } from '#core/errors/error';
import { parseIpAddress } from '#core/network/address';
import { parsePort } from '#core/network/flow';
import { parseIpPrefix } from '#core/network/prefix';
import type { AgentEndpoint, DirectoryNode } from '#core/registration/directory';
import { isNodeOf } from '#core/registration/node-id';
import { parseSpiffeId, type TrustDomain } from '#core/spiffe/id';
import type { Node } from '#proto/gen/symbolon/authority/types';

function invalid(field: string, value: string, why: string, cause?: unknown): never {
  throw new SymbolonError('DIRECTORY_INVALID', `${field} ${JSON.stringify(value)} ${why}`, { field, value }, cause);
}

/** Parses `192.0.2.7:7420` or `[2001:db8::7]:7420`. Throws DIRECTORY_INVALID. */
export function parseAgentEndpoint(text: string): AgentEndpoint {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([1-9]\d{0,4})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  try {
    if (host !== undefined) return { address: parseIpAddress(host), port: parsePort(Number(match?.[3])) };
  } catch (error) {
    invalid('endpoints', text, 'is not an address and a port', error);
  }
  return invalid('endpoints', text, 'is not an address and a port; expected 192.0.2.7:7420 or [2001:db8::7]:7420');
}

/** A node from the wire, declared by the trust domain's own authority. Throws DIRECTORY_INVALID, or the parser's own error. */
export function parseDirectoryNode(node: Node, trustDomain: TrustDomain): DirectoryNode {
  const nodeId = parseSpiffeId(node.spiffeId);
  if (!isNodeOf(nodeId, trustDomain)) invalid('spiffe_id', nodeId, `is not the ID of a node of the trust domain ${trustDomain}`);
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
