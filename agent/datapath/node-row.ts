import { SYM_LIMIT, SYM_NODE } from '#bpf/gen/layout';
import type { Clock, Timer } from '#daemon/clock';
import type { RowStore } from './rows/row-store.ts';
import { decodeRow, encodeRow, type RowValues } from './rows/row.ts';

const ROW = Buffer.alloc(4);
const HEARTBEAT_MS = 1000;
/** How long the gate goes on holding packets for an agent that has gone quiet. */
const HEARTBEAT_LEASE_NS = 3_000_000_000n;

/**
 * The row of sym_node_conf: the agent's heartbeat, and the counters that outlive it. The agent is its only writer. A number is stored as taken
 * before it is used: a crash in between wastes it and never gives it twice.
 */
export class NodeRow {
  private row: RowValues<typeof SYM_NODE>;
  private timer: Timer | undefined;

  constructor(
    private readonly map: RowStore,
    private readonly clock: Clock,
    private readonly bootNs: () => bigint,
    tapIndex: number,
  ) {
    this.row = { ...decodeRow(SYM_NODE, map.get(ROW) ?? Buffer.alloc(SYM_NODE.size)), tap_ifindex: tapIndex };
    this.write();
  }

  private write(): void {
    this.map.set(ROW, encodeRow(SYM_NODE, this.row));
  }

  private next(counter: 'next_epoch' | 'next_endpoint'): number {
    const taken = this.row[counter] + 1;
    this.row = { ...this.row, [counter]: taken };
    this.write();
    return taken;
  }

  /** A number above 0 that no pair row ever had. */
  nextEpoch(): number {
    return this.next('next_epoch');
  }

  /** A number above 0 that no endpoint ever had. */
  nextEndpoint(): number {
    return this.next('next_endpoint');
  }

  /** The TCP port that only the nodes' agents reach. */
  setAgentPort(port: number): void {
    if (port === this.row.agent_port) return;
    this.row = { ...this.row, agent_port: port };
    this.write();
  }

  /** How many flows each endpoint may have when room is short, of the room that is not everybody's. */
  setEndpoints(count: number): void {
    const share = Math.floor((SYM_LIMIT.MAX_FLOWS - SYM_LIMIT.COMMON_FLOWS) / Math.max(count, 1));
    if (share === this.row.flow_share) return;
    this.row = { ...this.row, flow_share: share };
    this.write();
  }

  /** Says now, and from now on each second, that an agent is here to take held packets. */
  startHeartbeat(): void {
    this.row = { ...this.row, alive_until: this.bootNs() + HEARTBEAT_LEASE_NS };
    this.write();
    this.timer = this.clock.after(HEARTBEAT_MS, () => this.startHeartbeat());
  }

  /** Ends the heartbeat now: the gate refuses what it would hold. */
  stopHeartbeat(): void {
    this.timer?.cancel();
    this.row = { ...this.row, alive_until: 0n };
    this.write();
  }
}
