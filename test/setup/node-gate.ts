import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type SYM_MAPS, SYM_PAIR, SYM_PAIR_KEY, SYM_REASON } from '#bpf/gen/layout';
import { addressToBytes, parseIpAddress } from '#core/network/address';
import type { Lab } from '#lab/lab';
import { INSIDE } from '#lab/layout';
import { addressOwnerKey, hex } from '../../agent/datapath/rows/keys.ts';
import { decodeRow, encodeRow, type RowLayout, type RowValues } from '../../agent/datapath/rows/row.ts';
import { BpfMap } from '../../agent/kernel/bpf-map.ts';

export type GateProgram = 'sym_up_out' | 'sym_up_in' | 'sym_wl_in' | 'sym_wl_out' | 'sym_tap_in' | 'sym_tap_out';
type GateMap = keyof typeof SYM_MAPS;

/** A node's gate as root on that node finds it: pinned maps and links. For tests that switch a defence off, or look behind the agent's back. */
export class NodeGate {
  private readonly root: string;

  constructor(
    private readonly lab: Lab,
    private readonly node: string,
  ) {
    this.root = `/proc/${lab.place(node).pid}/root`;
  }

  private get pins(): string {
    return join(this.root, INSIDE.bpffs);
  }

  /** Runs `use` on a map. */
  with<T>(name: GateMap, use: (map: BpfMap) => T): T {
    const map = BpfMap.open(join(this.pins, name));
    try {
      return use(map);
    } finally {
      map.close();
    }
  }

  row<L extends RowLayout>(name: GateMap, layout: L, key: Uint8Array): RowValues<L> | undefined {
    const bytes = this.with(name, (map) => map.get(key));
    return bytes && decodeRow(layout, bytes);
  }

  set<L extends RowLayout>(name: GateMap, key: Uint8Array, layout: L, values: Partial<RowValues<L>>): void {
    this.with(name, (map) => map.set(key, encodeRow(layout, values)));
  }

  count(name: GateMap): number {
    return this.with(name, (map) => map.entries().length);
  }

  /** Packets that the gate has counted for a reason since it was loaded. */
  counted(reason: keyof typeof SYM_REASON): number {
    return Number(this.with('sym_counters', (map) => map.sumPerCpu(SYM_REASON[reason])));
  }

  /** The endpoint that owns an address. Throws if there is none. */
  endpointOf(address: string): number {
    const key = Buffer.from(addressOwnerKey(hex(addressToBytes(parseIpAddress(address)))), 'hex');
    const value = this.with('sym_owner', (map) => map.get(key));
    if (!value) throw new Error(`nobody on ${this.node} owns ${address}`);
    return value.readUInt32LE(0);
  }

  /** Rows of sym_sessions on which live pairs with a remote address rest. */
  sessionsWith(remote: string): readonly number[] {
    const bytes = hex(addressToBytes(parseIpAddress(remote)));
    const rows = this.with('sym_pairs', (map) => map.entries());
    const ours = rows.filter(([key]) => hex(decodeRow(SYM_PAIR_KEY, key).remote) === bytes);
    return [...new Set(ours.map(([, value]) => decodeRow(SYM_PAIR, value).session))].filter((session) => session !== 0);
  }

  async interfaceIndex(name: string): Promise<number> {
    const { stdout } = await this.lab.exec({ place: this.node }, ['cat', `/sys/class/net/${name}/ifindex`]);
    return Number(stdout);
  }

  /** The programs that are at work, as `<interface index>_<direction>_<program>`. */
  links(): readonly string[] {
    return readdirSync(join(this.pins, 'links')).toSorted();
  }

  /** Takes a program off an interface. Throws if it is not there. The agent puts it back when it next configures the gate. */
  async detach(program: GateProgram, direction: 'ingress' | 'egress', interfaceName: string): Promise<void> {
    rmSync(join(this.pins, 'links', await this.linkName(program, direction, interfaceName)));
  }

  /** Whether a program is on an interface. */
  async isAttached(program: GateProgram, direction: 'ingress' | 'egress', interfaceName: string): Promise<boolean> {
    return this.links().includes(await this.linkName(program, direction, interfaceName));
  }

  private async linkName(program: GateProgram, direction: 'ingress' | 'egress', interfaceName: string): Promise<string> {
    return `${await this.interfaceIndex(interfaceName)}_${direction}_${program}`;
  }

  /** Memory of the node's agent that is in RAM, in MiB. */
  agentRssMiB(): number {
    const pid = this.lab.agents.pid(this.node);
    const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib) / 1024;
  }
}
