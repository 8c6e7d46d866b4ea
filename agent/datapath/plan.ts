import { addressOwnerKey } from './rows/keys.ts';
import { type ConfiguredTable, type DatapathSpec, type KernelSnapshot, type MapChange } from './snapshot.ts';

function* additions(table: ConfiguredTable, wanted: DatapathSpec, found: KernelSnapshot): Generator<MapChange> {
  for (const [key, value] of wanted.tables[table]) {
    if (found.tables[table].get(key) !== value) yield { kind: 'set', table, key, value };
  }
}

function* removals(table: ConfiguredTable, wanted: DatapathSpec, found: KernelSnapshot): Generator<MapChange> {
  for (const key of found.tables[table].keys()) if (!wanted.tables[table].has(key)) yield { kind: 'delete', table, key };
}

function endpointOf(key: string): number {
  return Buffer.from(key, 'hex').readUInt32LE(0);
}

type Pair = KernelSnapshot['pairs'][number];

function endName({ endpoint, local, remote, role }: Omit<Pair, 'pair'>): string {
  return `${role} ${endpoint} ${local} ${remote}`;
}

/**
 * The pairs whose workload goes or no longer owns their address, and those whose remote address is that of a workload of this node which has no other
 * end of them: whoever had it is gone, and nobody comes into it by the address.
 */
function orphansOf(wanted: DatapathSpec, found: KernelSnapshot): readonly Pair[] {
  const ownerOf = (address: string): number | undefined => {
    const owner = wanted.tables.sym_owner.get(addressOwnerKey(address));
    return owner === undefined ? undefined : endpointOf(owner);
  };
  const ends = new Set(found.pairs.map(endName));
  return found.pairs.filter(({ endpoint, local, remote, role }) => {
    if (ownerOf(local) !== endpoint) return true;
    const other = ownerOf(remote);
    if (other === undefined) return false;
    return !ends.has(endName({ endpoint: other, local: remote, remote: local, role: role === 'client' ? 'server' : 'client' }));
  });
}

/**
 * The steps from what the kernel holds to what is wanted, in an order in which every state on the way refuses rather than passes:
 * pairs that have lost one of their ends on this node end first; a new endpoint is known before an address is given to it; a gate's row comes before its programs;
 * an endpoint's row goes last, and with it whatever flows it left. Equal states need no step.
 */
export function planDatapath(wanted: DatapathSpec, found: KernelSnapshot): readonly MapChange[] {
  const gone = [...found.tables.sym_endpoints.keys()].filter((key) => !wanted.tables.sym_endpoints.has(key)).map(endpointOf);
  const orphans = orphansOf(wanted, found);
  const attach = [...wanted.attachments].filter(([key]) => !found.attachments.has(key)).map(([, attachment]) => attachment);
  const detach = [...found.attachments].filter(([key]) => !wanted.attachments.has(key)).map(([, attachment]) => attachment);
  return [
    ...orphans.map(({ pair, endpoint, local }): MapChange => ({ kind: 'remove-pair', pair, endpoint, local })),
    ...additions('sym_endpoints', wanted, found),
    ...additions('sym_owner', wanted, found),
    ...removals('sym_owner', wanted, found),
    // A prefix that is added narrows what counts as unknown; removing comes after, so that no address falls out in between.
    ...additions('sym_prefixes', wanted, found),
    ...removals('sym_prefixes', wanted, found),
    ...additions('sym_local', wanted, found),
    ...removals('sym_local', wanted, found),
    ...removals('sym_peers', wanted, found),
    ...additions('sym_peers', wanted, found),
    ...additions('sym_gates', wanted, found),
    ...attach.map((attachment): MapChange => ({ kind: 'attach', attachment })),
    ...detach.map((attachment): MapChange => ({ kind: 'detach', attachment })),
    ...removals('sym_gates', wanted, found),
    ...removals('sym_endpoints', wanted, found),
    ...gone.map((endpoint): MapChange => ({ kind: 'sweep-endpoint', endpoint })),
  ];
}
