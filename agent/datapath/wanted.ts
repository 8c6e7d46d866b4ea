import { SYM_ENDPOINT, SYM_GATE, SYM_GATE_KIND, SYM_GATE_MODE, SYM_PREFIX, SYM_PREFIX_KEY } from '#bpf/gen/layout';
import { addressToBytes, type IpAddress } from '#core/network/address';
import { prefixBits } from '#core/network/prefix';
import type { DatapathConfig, GateMode } from './contract.ts';
import { addressOwnerKey, hex, interfaceOwnerKey, u32 } from './rows/keys.ts';
import { encodeRow } from './rows/row.ts';
import { type Attachment, attachmentKey, type DatapathSpec } from './snapshot.ts';

type GateKind = keyof typeof SYM_GATE_KIND;

/** The programs of bpf/gate.bpf.c at each kind of interface. */
const PROGRAMS: Readonly<Record<GateKind, { readonly ingress: string; readonly egress: string }>> = {
  UPLINK: { ingress: 'sym_up_in', egress: 'sym_up_out' },
  WORKLOAD: { ingress: 'sym_wl_in', egress: 'sym_wl_out' },
  TAP: { ingress: 'sym_tap_in', egress: 'sym_tap_out' },
};

const MODE: Readonly<Record<GateMode, number>> = {
  unmanaged: SYM_GATE_MODE.UNMANAGED,
  unattested: SYM_GATE_MODE.UNATTESTED,
  inbound: SYM_GATE_MODE.INBOUND,
  all: SYM_GATE_MODE.ALL,
};

function addressSet(addresses: readonly IpAddress[]): Map<string, string> {
  return new Map(addresses.map((address) => [hex(addressToBytes(address)), hex(u32(1))]));
}

/**
 * What a configuration means in rows and programs. `macs`: hardware addresses by interface index; an interface that has none any more is left
 * out, and with it its programs: the node's next look at its interfaces takes it out of the configuration too.
 */
export function wantedDatapath(config: DatapathConfig, tapIndex: number, macs: ReadonlyMap<number, Uint8Array>): DatapathSpec {
  const owner = new Map<string, string>();
  const endpoints = new Map<string, string>();
  for (const spec of config.endpoints) {
    const number = hex(u32(spec.endpoint));
    endpoints.set(number, hex(encodeRow(SYM_ENDPOINT, { ifindex: spec.interfaceIndex, gate: MODE[spec.gate] })));
    owner.set(interfaceOwnerKey(spec.interfaceIndex), number);
    for (const address of spec.addresses) owner.set(addressOwnerKey(hex(addressToBytes(address))), number);
  }
  const gates = new Map<string, string>();
  const attachments = new Map<string, Attachment>();
  const gate = (interfaceIndex: number, kind: GateKind): void => {
    const mac = macs.get(interfaceIndex);
    if (!mac) return;
    gates.set(hex(u32(interfaceIndex)), hex(encodeRow(SYM_GATE, { kind: SYM_GATE_KIND[kind], mac })));
    for (const direction of ['ingress', 'egress'] as const) {
      const attachment = { interfaceIndex, direction, program: PROGRAMS[kind][direction] };
      attachments.set(attachmentKey(attachment), attachment);
    }
  };
  for (const spec of config.endpoints) gate(spec.interfaceIndex, 'WORKLOAD');
  for (const index of config.uplinks) gate(index, 'UPLINK');
  gate(tapIndex, 'TAP');
  return {
    tables: {
      sym_endpoints: endpoints,
      sym_owner: owner,
      sym_prefixes: new Map(
        config.directory.map(({ prefix, local }) => [
          hex(encodeRow(SYM_PREFIX_KEY, { bits: prefixBits(prefix), address: addressToBytes(prefix.address) })),
          hex(encodeRow(SYM_PREFIX, { local: local ? 1 : 0 })),
        ]),
      ),
      sym_peers: addressSet(config.peerAgents),
      sym_local: addressSet(config.nodeAddresses),
      sym_gates: gates,
    },
    attachments,
  };
}
