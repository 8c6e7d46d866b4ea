import { parseIpAddress } from '#core/network/address';
import type { TestCa } from '#core/spiffe/testing/ca';
import { silentLogger } from '#daemon/log';
import type { EndpointId, FoundPair } from '../../datapath/contract.ts';
import { FakeDatapath } from '../../datapath/testing/fake-datapath.ts';
import type { SessionListener } from '../../session/listen.ts';
import { linkNodes, testClock, TestNode } from '../../session/testing/test-node.ts';
import { createPairManager, type PairManager } from '../manager.ts';

/** A node with its manager, over a gate in memory and real TLS. */
export class TestAgent {
  readonly endpoints = new Map<string, EndpointId>();
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

/** Agents of one directory: number n serves 10.n.0.0/16, from 1. All listen on loopback. */
export async function startAgents(ca: TestCa, names: readonly string[]): Promise<readonly TestAgent[]> {
  const agents = await Promise.all(names.map(async (name) => new TestAgent(await TestNode.create(ca, name))));
  const ports: number[] = [];
  for (const agent of agents) ports.push(await agent.listen());
  linkNodes(
    agents.map((agent) => agent.node),
    ports,
  );
  return agents;
}
