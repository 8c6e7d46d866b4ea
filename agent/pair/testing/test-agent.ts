import { parseIpAddress } from '#core/network/address';
import type { TestCa } from '#core/spiffe/testing/ca';
import { silentLogger } from '#daemon/log';
import type { EndpointId, FoundPair, PairSpec } from '../../datapath/contract.ts';
import { FakeDatapath } from '../../datapath/testing/fake-datapath.ts';
import type { SessionListener } from '../../session/listen.ts';
import { linkNodes, testClock, TestNode } from '../../session/testing/test-node.ts';
import { createPairManager, type PairManager } from '../manager.ts';

/** A node with its manager, over a gate in memory and real TLS. */
export class TestAgent {
  readonly endpoints = new Map<string, EndpointId>();
  /** Whether what an earlier agent has left may go on. */
  mayStand: (found: PairSpec) => boolean = () => true;
  manager: PairManager;
  listener: SessionListener | undefined;

  constructor(
    readonly node: TestNode,
    public datapath: FakeDatapath = new FakeDatapath(),
  ) {
    this.manager = this.start();
  }

  private start(): PairManager {
    return createPairManager({
      datapath: this.datapath,
      onHeld: (listener) => this.datapath.onHeld(listener),
      judge: this.node,
      credential: () => this.node.credential,
      directory: () => this.node.directory,
      endpointOf: (address) => this.endpoints.get(address.text),
      mayStand: (found) => this.mayStand(found),
      clock: testClock,
      log: silentLogger,
    });
  }

  async listen(port = 0): Promise<number> {
    this.listener = await this.manager.listen({ address: parseIpAddress('127.0.0.1'), port });
    return this.listener.port;
  }

  async addWorkload(ca: TestCa, address: string, path: string): Promise<EndpointId> {
    await this.node.addWorkload(ca, address, path);
    const endpoint = this.datapath.newEndpoint();
    this.endpoints.set(address, endpoint);
    return endpoint;
  }

  removeWorkload(address: string): void {
    this.node.workloads.delete(address);
    this.endpoints.delete(address);
    this.viewChanged();
  }

  viewChanged(): void {
    this.node.changed();
    this.manager.viewChanged();
  }

  /** The agent's process ends and a new one opens the maps. */
  async restart(): Promise<void> {
    const port = this.listener?.port;
    await this.manager.close();
    const found = [...this.datapath.rows.values()].map(({ spec, epoch }): FoundPair => ({ spec, epoch }));
    const next = new FakeDatapath(found);
    for (const [session, lease] of this.datapath.leases) next.renewSession(session, lease);
    this.datapath = next;
    this.manager = this.start();
    if (port !== undefined) await this.listen(port);
    this.manager.viewChanged();
  }
}

export interface TwoAgents {
  readonly one: TestAgent;
  readonly two: TestAgent;
  readonly web: EndpointId;
  readonly payments: EndpointId;
}

/** Two agents of one directory, with a workload each: web at 10.1.0.2, payments at 10.2.0.2. Number n serves 10.n.0.0/16; both listen on loopback. */
export async function startTwoAgents(ca: TestCa): Promise<TwoAgents> {
  const one = new TestAgent(await TestNode.create(ca, 'one'));
  const two = new TestAgent(await TestNode.create(ca, 'two'));
  linkNodes([one.node, two.node], [await one.listen(), await two.listen()]);
  const web = await one.addWorkload(ca, '10.1.0.2', '/web');
  const payments = await two.addWorkload(ca, '10.2.0.2', '/payments');
  return { one, two, web, payments };
}
