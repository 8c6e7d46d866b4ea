import { assertNever } from '#core/errors/error';
import type { IpAddress } from '#core/network/address';
import { DEFAULT_ENFORCEMENT, type Enforcement } from '#core/registration/entry';
import type { SpiffeId } from '#core/spiffe/id';
import type { AttestedInterface } from '../attestation/attestation.ts';
import type { EndpointId, GateMode } from '../datapath/contract.ts';

/** One workload instance as the agent knows it. */
export interface WorkloadEndpoint {
  readonly endpoint: EndpointId;
  readonly interfaceIndex: number;
  readonly name: string;
  /** Undefined for those that an earlier agent knew. */
  readonly instance?: number;
  readonly namespace: bigint;
  readonly addresses: readonly IpAddress[];
  readonly gate: GateMode;
  /** Undefined: not managed, or not attested (`problem` says why). */
  readonly identity?: { readonly entryId: string; readonly spiffeId: SpiffeId };
  /** Its SVID is not at hand: nothing is proven for it yet. What an earlier agent has proven goes on under its lease. */
  readonly awaitsSvid?: true;
  readonly problem?: string;
}

/** What the workload sends first must wait: who it is, or what it proves itself with, is not known yet. */
export function mustWait(endpoint: WorkloadEndpoint): boolean {
  return endpoint.gate === 'unattested' || endpoint.awaitsSvid === true;
}

function isManaged(gate: GateMode): boolean {
  return gate === 'inbound' || gate === 'all';
}

const NOBODY = 'no process runs in it, or the node has no registration entries yet';

/** A veth does not outlive its peer's namespace: where the interface is the same, a namespace that nobody was seen in yet is too. */
function sameInterface(known: WorkloadEndpoint, found: AttestedInterface): boolean {
  if (known.interfaceIndex !== found.interfaceIndex) return false;
  if (known.instance === undefined) return known.namespace !== 0n && known.namespace === found.namespace;
  return known.instance === found.instance && (known.namespace === found.namespace || known.namespace === 0n || found.namespace === 0n);
}

function sameWorkload(known: WorkloadEndpoint, found: AttestedInterface): boolean {
  if (!sameInterface(known, found)) return false;
  if (known.identity === undefined) return true;
  // With nobody inside there is nobody else either: the workload is restarting.
  if (found.attestation.kind === 'pending') return true;
  return found.attestation.kind === 'identity' && found.attestation.entry.spiffeId === known.identity.spiffeId;
}

function gateOf(enforcement: Enforcement, ready: boolean): GateMode {
  if (enforcement === 'off') return 'unmanaged';
  return ready ? enforcement : 'unattested';
}

/**
 * The endpoints that should be, given those that were. An instance keeps its endpoint as long as interface, namespace and identity are the same;
 * anything else is a new endpoint, so that nothing is inherited. An unmanaged workload, which nobody would ask for proof, does not get an address that is
 * `claimed`. `ready` says whether the workload's SVID is at hand: before that its traffic waits, but for that of live pairs which an agent before this one
 * has left.
 */
export function planEndpoints(input: {
  readonly known: readonly WorkloadEndpoint[];
  readonly found: readonly AttestedInterface[];
  readonly defaultEnforcement: Enforcement | undefined;
  readonly ready: (entryId: string) => boolean;
  readonly newEndpoint: () => EndpointId;
  /** True for an address that another node may still take for a workload's that had it before. */
  readonly claimed: (address: IpAddress) => boolean;
}): readonly WorkloadEndpoint[] {
  const planned = (endpoint: WorkloadEndpoint): WorkloadEndpoint =>
    endpoint.gate === 'unmanaged' && endpoint.addresses.some(input.claimed)
      ? { ...endpoint, gate: 'unattested', problem: 'its address still stands for an earlier workload at another node' }
      : endpoint;
  const withSvid = (endpoint: WorkloadEndpoint): WorkloadEndpoint => {
    const { awaitsSvid: _, problem: __, ...rest } = endpoint;
    const ready = rest.gate === 'unmanaged' || rest.identity === undefined || input.ready(rest.identity.entryId);
    return ready ? rest : { ...rest, awaitsSvid: true, problem: 'its SVID has not been issued yet' };
  };
  const byInterface = new Map(input.known.map((endpoint) => [endpoint.interfaceIndex, endpoint]));
  const planOne = (found: AttestedInterface): WorkloadEndpoint => {
    const known = byInterface.get(found.interfaceIndex);
    const same = known !== undefined && sameWorkload(known, found);
    const base = {
      endpoint: same ? known.endpoint : input.newEndpoint(),
      interfaceIndex: found.interfaceIndex,
      name: found.name,
      instance: found.instance,
      namespace: found.namespace === 0n && same ? known.namespace : found.namespace,
      addresses: found.addresses,
    };
    const attestation = found.attestation;
    switch (attestation.kind) {
      case 'identity': {
        const { entry } = attestation;
        const enforcement = entry.enforcement ?? input.defaultEnforcement ?? DEFAULT_ENFORCEMENT;
        const gate = gateOf(enforcement, input.ready(entry.id) || (same && isManaged(known.gate)));
        const identity = { entryId: entry.id, spiffeId: entry.spiffeId };
        return withSvid({ ...base, addresses: attestation.addresses, gate, identity });
      }
      case 'unmanaged':
        return { ...base, gate: 'unmanaged' };
      case 'pending': {
        const nobody = { gate: 'unattested', problem: attestation.reason ?? NOBODY } as const;
        if (!same || known.identity === undefined) return { ...base, ...nobody };
        const kept = withSvid({ ...known, name: found.name, instance: found.instance });
        return kept.gate === 'unattested' && !kept.awaitsSvid ? { ...kept, ...nobody } : kept;
      }
      case 'refused':
        return { ...base, gate: 'unattested', problem: attestation.reason };
      default:
        return assertNever(attestation);
    }
  };
  return input.found.map((found) => planned(planOne(found)));
}
