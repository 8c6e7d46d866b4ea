import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { parseIpAddress } from '#core/network/address';
import { parseSpiffeId } from '#core/spiffe/id';
import { writePrivateFile } from '#daemon/unix/private-file';
import type { EndpointId } from '../datapath/contract.ts';
import type { WorkloadEndpoint } from './endpoints.ts';

const file = z.array(
  z.strictObject({
    endpoint: z.int().positive(),
    interfaceIndex: z.int().positive(),
    name: z.string(),
    namespace: z.string().regex(/^\d+$/),
    addresses: z.array(z.string()),
    gate: z.enum(['unmanaged', 'unattested', 'inbound', 'all']),
    identity: z.strictObject({ entryId: z.string(), spiffeId: z.string() }).optional(),
  }),
);

/**
 * Which workload each endpoint was, for the agent that comes after this one: it must know whether the workload that it finds is the one whose pairs
 * are still in the maps. A file that cannot be read is no endpoints: then every workload gets a new one.
 */
export function loadEndpoints(path: string): readonly WorkloadEndpoint[] {
  try {
    return file.parse(JSON.parse(readFileSync(path, 'utf8'))).map(({ identity, ...rest }) => ({
      ...rest,
      endpoint: rest.endpoint as EndpointId,
      namespace: BigInt(rest.namespace),
      addresses: rest.addresses.map(parseIpAddress),
      ...(identity ? { identity: { entryId: identity.entryId, spiffeId: parseSpiffeId(identity.spiffeId) } } : {}),
    }));
  } catch {
    return [];
  }
}

/** Writes the endpoints for the next agent. */
export function saveEndpoints(path: string, endpoints: readonly WorkloadEndpoint[]): void {
  const rows = endpoints.map(({ endpoint, interfaceIndex, name, namespace, addresses, gate, identity }) => ({
    endpoint,
    interfaceIndex,
    name,
    namespace: namespace.toString(),
    addresses: addresses.map((address) => address.text),
    gate,
    ...(identity ? { identity } : {}),
  }));
  writePrivateFile(path, JSON.stringify(rows));
}
