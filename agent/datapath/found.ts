import { SYM_ENDPOINT, SYM_GATE_MODE, SYM_OWNER_KEY, SYM_OWNER_KIND } from '#bpf/gen/layout';
import { addressFromBytes, type IpAddress } from '#core/network/address';
import type { EndpointId, EndpointSpec, GateMode } from './contract.ts';
import { decodeRow } from './rows/row.ts';
import type { DatapathSpec } from './snapshot.ts';

const MODE: Readonly<Record<number, GateMode>> = {
  [SYM_GATE_MODE.UNMANAGED]: 'unmanaged',
  [SYM_GATE_MODE.UNATTESTED]: 'unattested',
  [SYM_GATE_MODE.INBOUND]: 'inbound',
  [SYM_GATE_MODE.ALL]: 'all',
};

/** The endpoints that an earlier agent configured, read back from its rows. A gate mode that this agent does not know is `unattested`. */
export function foundEndpoints(tables: DatapathSpec['tables']): readonly EndpointSpec[] {
  const addresses = new Map<number, IpAddress[]>();
  for (const [key, value] of tables.sym_owner) {
    const owner = decodeRow(SYM_OWNER_KEY, Buffer.from(key, 'hex'));
    if (owner.kind !== SYM_OWNER_KIND.BY_ADDRESS) continue;
    const endpoint = Buffer.from(value, 'hex').readUInt32LE(0);
    addresses.set(endpoint, [...(addresses.get(endpoint) ?? []), addressFromBytes(owner.id)]);
  }
  return [...tables.sym_endpoints].map(([key, value]) => {
    const endpoint = Buffer.from(key, 'hex').readUInt32LE(0) as EndpointId;
    const row = decodeRow(SYM_ENDPOINT, Buffer.from(value, 'hex'));
    return { endpoint, interfaceIndex: row.ifindex, addresses: addresses.get(endpoint) ?? [], gate: MODE[row.gate] ?? 'unattested' };
  });
}
