import type { NodeDirectory } from '#core/registration/directory';
import type { SpiffeId } from '#core/spiffe/id';
import type { NodeInterfaces } from '../attestation/discovery/watch.ts';
import type { DatapathConfig } from '../datapath/contract.ts';
import type { WorkloadEndpoint } from './endpoints.ts';

/** The gate's configuration that follows from the view, the workloads and the node's own interfaces. Without a view: no directory, no peers. */
export function datapathConfigOf(input: {
  readonly nodeId: SpiffeId;
  readonly view: { readonly revision: bigint; readonly directory: NodeDirectory } | undefined;
  readonly endpoints: readonly WorkloadEndpoint[];
  readonly interfaces: Pick<NodeInterfaces, 'uplinks' | 'nodeAddresses'>;
  readonly agentPort: number;
}): DatapathConfig {
  const nodes = input.view ? [...input.view.directory.nodes.values()] : [];
  return {
    uplinks: input.interfaces.uplinks,
    endpoints: input.endpoints.map(({ endpoint, interfaceIndex, addresses, gate }) => ({ endpoint, interfaceIndex, addresses, gate })),
    directory: nodes.flatMap((node) => node.prefixes.map((prefix) => ({ prefix, local: node.nodeId === input.nodeId }))),
    nodeAddresses: input.interfaces.nodeAddresses,
    peerAgents: nodes.flatMap((node) => (node.nodeId === input.nodeId ? [] : node.endpoints.map((endpoint) => endpoint.address))),
    agentPort: input.agentPort,
    revision: input.view?.revision ?? 0n,
  };
}
