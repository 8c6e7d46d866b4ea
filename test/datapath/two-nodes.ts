import { parseIpAddress } from '#core/network/address';
import { parseIpPrefix } from '#core/network/prefix';
import type { DatapathConfig, EndpointId, EndpointSpec, GateMode, PairKey, PairSpec, SessionIndex } from '../../agent/datapath/contract.ts';
import { Bed, type RunningDatapath } from './bed.ts';

const SECOND = 1_000_000_000n;
/** Longer than any test takes. */
const LASTING_SECONDS = 3600n;
const NODE = { x: 1, y: 2 } as const;
const WORKLOADS = { a: { node: 'x', host: 2 }, c: { node: 'x', host: 3 }, b: { node: 'y', host: 2 } } as const;
export type Workload = keyof typeof WORKLOADS;
export type NodeName = keyof typeof NODE;
/** Protocol, lowest and highest port. */
export type GrantTuple = readonly [number, number, number];

/** The address of a workload. */
export const v4 = (w: Workload): string => `10.${NODE[WORKLOADS[w].node]}.0.${WORKLOADS[w].host}`;
export const v6 = (w: Workload): string => `fd0${NODE[WORKLOADS[w].node]}::${WORKLOADS[w].host}`;

export const ECHO: readonly GrantTuple[] = [
  [1, 0, 65_535],
  [58, 0, 65_535],
];

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** A bed whose two nodes run a Datapath each: every workload an endpoint under `all`, one session with a lease, no pair. */
export class TwoNodes {
  readonly bed = new Bed();
  readonly datapaths = {} as Record<NodeName, RunningDatapath>;
  readonly endpoints = {} as Record<Workload, EndpointId>;
  readonly sessions = {} as Record<NodeName, SessionIndex>;
  readonly gates: Record<Workload, GateMode> = { a: 'all', b: 'all', c: 'all' };
  private lastPair = 0;

  async up(): Promise<void> {
    for (const node of ['x', 'y'] as const) {
      await this.start(node);
      for (const w of this.workloadsOf(node)) this.endpoints[w] = await this.datapaths[node].newEndpoint();
      await this.configure(node);
      this.sessions[node] = await this.datapaths[node].openSession();
      await this.renew(node);
    }
  }

  /** Starts the node's agent; what an earlier one left is found. */
  async start(node: NodeName): Promise<void> {
    this.datapaths[node] = await this.bed.datapath(node);
  }

  private workloadsOf(node: NodeName): readonly Workload[] {
    return (Object.keys(WORKLOADS) as Workload[]).filter((w) => WORKLOADS[w].node === node);
  }

  private async endpointSpec(node: NodeName, w: Workload): Promise<EndpointSpec> {
    return {
      endpoint: this.endpoints[w],
      interfaceIndex: await this.datapaths[node].interfaceIndex(`w${w}`),
      addresses: [parseIpAddress(v4(w)), parseIpAddress(v6(w))],
      gate: this.gates[w],
    };
  }

  async configure(node: NodeName, without: readonly Workload[] = []): Promise<void> {
    const d = this.datapaths[node];
    const workloads = this.workloadsOf(node).filter((w) => !without.includes(w));
    const config: DatapathConfig = {
      uplinks: [await d.interfaceIndex('up0')],
      endpoints: await Promise.all(workloads.map((w) => this.endpointSpec(node, w))),
      directory: (['x', 'y'] as const).flatMap((n) => [
        { prefix: parseIpPrefix(`10.${NODE[n]}.0.0/24`), local: n === node },
        { prefix: parseIpPrefix(`fd0${NODE[n]}::/64`), local: n === node },
      ]),
      nodeAddresses: [parseIpAddress(`10.99.${NODE[node]}.1`), parseIpAddress(`fd99:${NODE[node]}::1`)],
      peerAgents: [],
      agentPort: 7443,
      revision: 1n,
    };
    await d.configure(config);
  }

  async renew(node: NodeName, seconds = LASTING_SECONDS): Promise<void> {
    const now = await this.datapaths[node].bootNs();
    await this.datapaths[node].renewSession(this.sessions[node], {
      txUntilBootNs: now + seconds * SECOND,
      rxUntilBootNs: now + seconds * SECOND,
    });
  }

  /** Allows client → server at both ends and in both families, the server's end first; returns the pairs' numbers. */
  async allow(client: Workload, server: Workload, grants: readonly GrantTuple[]): Promise<readonly number[]> {
    const numbers: number[] = [];
    for (const address of [v4, v6]) {
      const pair = ++this.lastPair;
      numbers.push(pair);
      for (const role of ['server', 'client'] as const) {
        const [self, other] = role === 'client' ? [client, server] : [server, client];
        const { node } = WORKLOADS[self];
        const spec: PairSpec = {
          pair,
          realm: 0,
          endpoint: this.endpoints[self],
          local: parseIpAddress(address(self)),
          remote: parseIpAddress(address(other)),
          role,
          grants: grants.map(([protocol, lowPort, highPort]) => ({ protocol, lowPort, highPort })),
          session: this.sessions[node],
          notAfterBootNs: (await this.datapaths[node].bootNs()) + LASTING_SECONDS * SECOND,
        };
        await this.datapaths[node].installPair(spec);
      }
    }
    return numbers;
  }

  async disallow(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) for (const node of ['x', 'y'] as const) await this.datapaths[node].removePair(number);
  }

  async refuse(key: PairKey): Promise<void> {
    const now = await this.datapaths.x.bootNs();
    await this.datapaths.x.refuse(key, 'test', now + LASTING_SECONDS * SECOND);
  }

  /** How many TCP segments a workload has sent once more, for want of an answer. */
  sentAgain(w: Workload): number {
    const [names = '', values = ''] = this.bed.inside(w, 'grep ^Tcp: /proc/net/snmp').split('\n');
    return Number(values.split(' ')[names.split(' ').indexOf('RetransSegs')]);
  }

  /** How often the gate of a node had this reason. */
  async counter(node: NodeName, reason: string): Promise<number> {
    const found = (await this.datapaths[node].counters()).find((c) => c.reason === reason);
    if (!found) throw new Error(`no counter ${reason}`);
    return Number(found.count);
  }

  down(): void {
    this.bed.close();
  }
}
