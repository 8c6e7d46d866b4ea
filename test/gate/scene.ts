import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import {
  SYM_DENY,
  SYM_ENDPOINT,
  SYM_FLOW,
  SYM_FLOW_KEY,
  SYM_GATE,
  SYM_GATE_KIND,
  SYM_GATE_MODE,
  SYM_NODE,
  SYM_OWNER_KEY,
  SYM_OWNER_KIND,
  SYM_PAIR,
  SYM_PAIR_KEY,
  SYM_PAIR_STATE,
  SYM_PREFIX,
  SYM_PREFIX_KEY,
  SYM_ROLE,
  SYM_SESSION,
  SYM_USAGE,
} from '../../bpf/gen/layout.ts';
import { decodeRow, encodeRow, type RowValues } from '../../agent/datapath/rows/row.ts';
import { GateProcess } from './gate-process.ts';
import { addressBytes } from './packets.ts';

/** `sh`: a command line in the test's own words; its output. */
function sh(command: string): string {
  return execFileSync('sh', ['-ec', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

/** Takes away what a run that was killed has left: namespaces and bpf file systems that are named after a process that is no more. */
function removeLeftovers(): void {
  sh(`for ns in $(ip netns list | sed -n 's/^\\(syg[0-9]*[abr]\\{0,1\\}\\)\\( .*\\)\\{0,1\\}$/\\1/p'); do
      pid=$(echo $ns | tr -dc 0-9); [ -d /proc/$pid ] && [ $pid != ${process.pid} ] || ip netns del $ns
    done
    for d in /tmp/sy-gate-*; do
      pid=\${d##*-}; [ -d /proc/$pid ] && [ $pid != ${process.pid} ] || { umount $d/bpf 2>/dev/null || true; rm -rf $d; }
    done`);
}

/** Two workloads on the gated node, A and B, each with an address of both families; a remote workload; and an address that nobody has. */
export const ADDRESS = {
  a: ['10.71.1.2', 'fd71:1:a::2'],
  b: ['10.71.1.6', 'fd71:1:b::2'],
  remote: ['10.71.2.2', 'fd71:2::2'],
  node: ['10.70.0.1', 'fd70::1'],
  router: ['10.70.0.2', 'fd70::2'],
  unowned: ['10.71.1.99', 'fd71:1:c::99'],
  /** A workload of this node whose interface has no gate yet. */
  newborn: ['10.71.1.98', 'fd71:1:d::98'],
  outside: ['10.99.0.1', 'fd99::1'],
  /** Beyond an interface that has no gate. */
  ungated: ['10.98.0.1', 'fd98::1'],
} as const;
export const ENDPOINT = { a: 1, b: 2 } as const;
/** Row of sym_usage that counts for all endpoints. */
export const EVERYONE = 0;
/** Flows of each endpoint where room is short. */
export const FLOW_SHARE = 100;
export type WorkloadName = keyof typeof ENDPOINT;
export const AGENT_PORT = 9443;
const LINK = { up: 'up0', a: 'wla', b: 'wlb' } as const;
const HOUR_NS = 3_600_000_000_000n;

export interface PairOptions {
  readonly epoch?: number;
  readonly state?: keyof typeof SYM_PAIR_STATE;
  readonly session?: number;
  readonly notAfter?: bigint;
  readonly ranges?: readonly (readonly [number, number])[];
}

/** One row of a pair between a local workload and an address, in one family (0 = IPv4, 1 = IPv6). */
export interface PairRow {
  readonly endpoint: number;
  readonly local: string;
  readonly remote: string;
  readonly protocol: number;
  readonly role: keyof typeof SYM_ROLE;
  readonly port: number;
}

/** A flow as the gate of its local end knows it. */
export interface FlowEnds {
  readonly local: string;
  readonly remote: string;
  readonly ports: readonly [local: number, remote: number];
  readonly protocol: number;
}

/** A gated node with two workloads, a router that is also the remote workload, and the gate's tables filled in. */
export class Scene {
  readonly index: { up: number; a: number; b: number; tap: number } = { up: 0, a: 0, b: 0, tap: 0 };
  private constructor(
    readonly name: string,
    readonly gate: GateProcess,
  ) {}

  static async create(): Promise<Scene> {
    removeLeftovers();
    const name = `syg${process.pid}`;
    const scene = new Scene(name, Scene.makeNamespaces(name));
    scene.index.tap = await scene.gate.openTap('symtap0');
    for (const [key, link] of Object.entries(LINK))
      scene.index[key as keyof typeof LINK] = Number(sh(`ip -n ${name} -o link show ${link} | cut -d: -f1`));
    await scene.fillTables();
    return scene;
  }

  private static makeNamespaces(n: string): GateProcess {
    sh(`for ns in ${n} ${n}a ${n}b ${n}r; do ip netns add $ns; ip -n $ns link set lo up; done
      ip -n ${n} link add up0 type veth peer name eth0 netns ${n}r
      ip -n ${n} link add wla type veth peer name eth0 netns ${n}a
      ip -n ${n} link add wlb type veth peer name eth0 netns ${n}b
      for ns in ${n} ${n}a ${n}b ${n}r; do nsenter --net=/run/netns/$ns sh -c 'for f in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 > $f; done
        echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter; echo 0 > /proc/sys/net/ipv4/conf/default/rp_filter; for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done
        echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'; done
      ip -n ${n} addr add 10.70.0.1/30 dev up0; ip -n ${n} addr add fd70::1/64 dev up0 nodad; ip -n ${n} link set up0 up
      ip -n ${n} addr add 10.71.1.1/30 dev wla; ip -n ${n} addr add fd71:1:a::1/64 dev wla nodad; ip -n ${n} link set wla up
      ip -n ${n} addr add 10.71.1.5/30 dev wlb; ip -n ${n} addr add fd71:1:b::1/64 dev wlb nodad; ip -n ${n} link set wlb up
      ip -n ${n}r addr add 10.70.0.2/30 dev eth0; ip -n ${n}r addr add fd70::2/64 dev eth0 nodad; ip -n ${n}r link set eth0 up
      ip -n ${n}r addr add 10.71.2.2/32 dev lo; ip -n ${n}r addr add fd71:2::2/128 dev lo nodad
      ip -n ${n}a addr add 10.71.1.2/30 dev eth0; ip -n ${n}a addr add fd71:1:a::2/64 dev eth0 nodad; ip -n ${n}a link set eth0 up
      ip -n ${n}b addr add 10.71.1.6/30 dev eth0; ip -n ${n}b addr add fd71:1:b::2/64 dev eth0 nodad; ip -n ${n}b link set eth0 up
      ip -n ${n} link add bare0 type veth peer name bare1; ip -n ${n} link set bare1 up; ip -n ${n} link set bare0 up
      ip -n ${n} route add 10.98.0.0/16 dev bare0; ip -n ${n} route add fd98::/16 dev bare0; ip -n ${n} route add 10.71.1.98/32 dev bare0; ip -n ${n} route add fd71:1:d::98/128 dev bare0
      ip -n ${n} route add 10.71.2.0/24 via 10.70.0.2; ip -n ${n} route add fd71:2::/32 via fd70::2
      ip -n ${n} route add 10.99.0.0/16 via 10.70.0.2; ip -n ${n} route add fd99::/16 via fd70::2
      ip -n ${n}r route add 10.71.1.0/24 via 10.70.0.1 src 10.71.2.2; ip -n ${n}r route add fd71:1::/32 via fd70::1 src fd71:2::2
      ip -n ${n}a route add default via 10.71.1.1; ip -n ${n}a route add default via fd71:1:a::1
      ip -n ${n}b route add default via 10.71.1.5; ip -n ${n}b route add default via fd71:1:b::1`);
    return GateProcess.start(n);
  }

  /** Runs a shell command in the namespace of the node (''), a workload or the remote ('r'). Its output, also when it fails. */
  sh(where: '' | WorkloadName | 'r', command: string): string {
    try {
      return execFileSync('nsenter', [`--net=/run/netns/${this.name}${where}`, 'sh', '-c', `${command} 2>&1`], { encoding: 'utf8' });
    } catch (error) {
      return String((error as { stdout?: unknown }).stdout ?? error);
    }
  }

  /** Starts a program in a namespace; what it prints until it ends. */
  async start(where: '' | WorkloadName | 'r', args: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)('nsenter', [`--net=/run/netns/${this.name}${where}`, ...args]);
    return stdout.trim();
  }

  /** The next IP frame that is held; fails after two seconds. */
  async nextFrame(): Promise<Buffer> {
    for (let i = 0; i < 200; i++) {
      const frame = await this.gate.readTap();
      if (frame) return frame;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error('nothing is held');
  }

  /** The MAC address of one of the node's interfaces. */
  mac(link: string, namespace = this.name): Buffer {
    const text = sh(`ip -n ${namespace} -o link show ${link} | sed 's/.*ether \\([0-9a-f:]*\\).*/\\1/'`);
    return Buffer.from(text.trim().replaceAll(':', ''), 'hex');
  }

  /** The MAC address of the router's interface towards the node. */
  remoteMac(): Buffer {
    return this.mac('eth0', `${this.name}r`);
  }

  private async fillTables(): Promise<void> {
    const { gate, index } = this;
    const kinds = { up: 'UPLINK', a: 'WORKLOAD', b: 'WORKLOAD' } as const;
    for (const [link, kind] of Object.entries(kinds) as [keyof typeof kinds, (typeof kinds)[keyof typeof kinds]][])
      await gate.set('sym_gates', u32(index[link]), SYM_GATE, { kind: SYM_GATE_KIND[kind], mac: this.mac(LINK[link]) });
    await gate.set('sym_gates', u32(index.tap), SYM_GATE, { kind: SYM_GATE_KIND.TAP });
    for (const name of ['a', 'b'] as const) {
      const key = encodeRow(SYM_OWNER_KEY, { kind: SYM_OWNER_KIND.BY_INTERFACE, id: u32(index[name]) });
      await gate.setBytes('sym_owner', key, u32(ENDPOINT[name]));
      for (const address of ADDRESS[name]) await this.own(address, ENDPOINT[name]);
      await this.mode(name, 'ALL');
    }
    for (const [prefix, bits, local] of [
      ['10.71.1.0', 120, 1],
      ['10.71.2.0', 120, 0],
      ['fd71:1::', 32, 1],
      ['fd71:2::', 32, 0],
    ] as const)
      await gate.set('sym_prefixes', encodeRow(SYM_PREFIX_KEY, { bits, address: addressBytes(prefix) }), SYM_PREFIX, { local });
    for (const address of [...ADDRESS.node, '10.71.1.1', '10.71.1.5', 'fd71:1:a::1', 'fd71:1:b::1'])
      await gate.setBytes('sym_local', addressBytes(address), u32(1));
    await gate.setBytes('sym_peers', addressBytes(ADDRESS.router[0]), u32(1));
    await this.heartbeat(true);
    await this.lease(1, true);
  }

  async own(address: string, endpoint: number): Promise<void> {
    const key = encodeRow(SYM_OWNER_KEY, { kind: SYM_OWNER_KIND.BY_ADDRESS, id: addressBytes(address) });
    await this.gate.setBytes('sym_owner', key, u32(endpoint));
  }

  async mode(name: WorkloadName, mode: keyof typeof SYM_GATE_MODE): Promise<void> {
    await this.gate.set('sym_endpoints', u32(ENDPOINT[name]), SYM_ENDPOINT, { ifindex: this.index[name], gate: SYM_GATE_MODE[mode] });
  }

  async heartbeat(alive: boolean): Promise<void> {
    const until = alive ? (await this.gate.bootNs()) + HOUR_NS : 0n;
    await this.gate.set('sym_node_conf', u32(0), SYM_NODE, {
      alive_until: until,
      tap_ifindex: this.index.tap,
      agent_port: AGENT_PORT,
      flow_share: FLOW_SHARE,
    });
  }

  async lease(session: number, live: boolean): Promise<void> {
    const until = live ? (await this.gate.bootNs()) + HOUR_NS : 0n;
    await this.gate.set('sym_sessions', u32(session), SYM_SESSION, { tx_until: until, rx_until: until });
  }

  /** Pretends that an endpoint has so many flows. */
  async flowsUsed(endpoint: number, flows: number): Promise<void> {
    await this.gate.set('sym_usage', u32(endpoint), SYM_USAGE, { flows: BigInt.asUintN(64, BigInt(flows)) });
  }

  /** How many flows the gate has counted for an endpoint. */
  async flowsOf(endpoint: number): Promise<number> {
    const row = await this.gate.get('sym_usage', u32(endpoint));
    return row ? Number(BigInt.asIntN(64, decodeRow(SYM_USAGE, row).flows)) : 0;
  }

  private flowKey({ local, remote, ports, protocol }: FlowEnds): Buffer {
    return encodeRow(SYM_FLOW_KEY, {
      local: addressBytes(local),
      remote: addressBytes(remote),
      local_port: ports[0],
      remote_port: ports[1],
      protocol,
    });
  }

  /** A flow's row. */
  async flow(ends: FlowEnds): Promise<RowValues<typeof SYM_FLOW>> {
    const row = await this.gate.get('sym_flows', this.flowKey(ends));
    if (!row) throw new Error('there is no such flow');
    return decodeRow(SYM_FLOW, row);
  }

  /** Makes a flow's last packet so many seconds older; with other flags if they are given. */
  async age(ends: FlowEnds, seconds: number, flags?: number): Promise<void> {
    const row = await this.flow(ends);
    const older = { ...row, seen: BigInt.asUintN(64, row.seen - BigInt(seconds) * 1_000_000_000n), flags: flags ?? row.flags };
    await this.gate.set('sym_flows', this.flowKey(ends), SYM_FLOW, older);
  }

  private pairKey(row: PairRow): Buffer {
    return encodeRow(SYM_PAIR_KEY, {
      endpoint: row.endpoint,
      local: addressBytes(row.local),
      remote: addressBytes(row.remote),
      protocol: row.protocol,
      role: SYM_ROLE[row.role],
      service_port: row.port,
    });
  }

  async pair(row: PairRow, options: PairOptions = {}): Promise<void> {
    const ranges = options.ranges ?? [];
    const range = Buffer.alloc(4 * ranges.length);
    ranges.forEach(([low, high], i) => {
      range.writeUInt16LE(low, 4 * i);
      range.writeUInt16LE(high, 4 * i + 2);
    });
    await this.gate.set('sym_pairs', this.pairKey(row), SYM_PAIR, {
      pair: 1,
      session: options.session ?? 1,
      epoch: options.epoch ?? 1,
      state: SYM_PAIR_STATE[options.state ?? 'LIVE'],
      ranges: ranges.length,
      not_after: options.notAfter ?? (await this.gate.bootNs()) + HOUR_NS,
      range,
    });
  }

  async unpair(row: PairRow): Promise<void> {
    await this.gate.delete('sym_pairs', this.pairKey(row));
  }

  async deny(row: PairRow): Promise<void> {
    await this.gate.set('sym_denied', this.pairKey(row), SYM_DENY, { until: (await this.gate.bootNs()) + HOUR_NS });
  }

  /** Puts every program where it belongs. */
  async attach(): Promise<void> {
    const { gate, index } = this;
    await gate.attach('sym_up_out', index.up, 'egress');
    await gate.attach('sym_up_in', index.up, 'ingress');
    for (const workload of [index.a, index.b]) {
      await gate.attach('sym_wl_out', workload, 'egress');
      await gate.attach('sym_wl_in', workload, 'ingress');
    }
    await gate.attach('sym_tap_in', index.tap, 'ingress');
    await gate.attach('sym_tap_out', index.tap, 'egress');
  }

  async close(): Promise<void> {
    await this.gate.stop();
    const { name } = this;
    sh(`for ns in ${name} ${name}a ${name}b ${name}r; do ip netns del $ns; done`);
  }
}
