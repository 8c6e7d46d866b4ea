import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { callUnary } from '#daemon/grpc/call';
import { waitForAttested } from '#lab/attested';
import { findCheckout } from '#lab/executables';
import { type Lab, startLab } from '#lab/lab';
import { Prober } from '#lab/probe';
import type { LabSpec } from '#lab/spec';
import { parseLabFile } from '#lab/spec-file';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { AuthPolicy, Identity, Node } from '#proto/gen/symbolon/authority/types';
import { DECLARED } from '../../quickstart/declared.ts';

/** Time that the agents get to enforce a change, after the call that made it. */
const ENFORCED_WITHIN_MS = 10_000;

export type PolicySketch = Partial<Omit<AuthPolicy, 'sources' | 'destinations'>> & {
  readonly name: string;
  /** Names of workloads. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly traffic: string[];
};

/** What the quickstart allows. */
export const QUICKSTART_POLICIES: readonly PolicySketch[] = [
  { name: 'web-to-payments', from: ['web'], to: ['payments'], traffic: ['tcp/8443', 'udp/5353', 'icmp'] },
  { name: 'cache-to-payments', from: ['cache'], to: ['payments'], traffic: ['tcp/8443'] },
  { name: 'reports-to-payments', from: ['reports'], to: ['payments'], traffic: ['tcp/8443'] },
];

/** A lab whose authority knows its nodes, identities and policies, and whose agents enforce them. */
export class World {
  readonly prober: Prober;

  constructor(readonly lab: Lab) {
    this.prober = new Prober(lab);
  }

  spiffeId(workload: string): string {
    return `spiffe://${this.lab.spec.trustDomain}/${workload}`;
  }

  async declareNodes(): Promise<void> {
    await this.lab.authority.call(async (client) => {
      for (const node of this.lab.spec.nodes) {
        const wish = Node.fromPartial({
          name: node.name,
          addressPrefixes: node.prefixes.map((prefix) => prefix.text),
          endpoints: this.lab
            .status()
            .nodes.filter((n) => n.name === node.name)
            .map((n) => n.agent.endpoint),
          attestationMethods: ['join_token'],
        });
        await callUnary(client, ControlService.createNode, { node: wish });
      }
    });
  }

  /** Declares an identity for a workload of the lab, by its uid. Returns the entry's id. */
  async declareIdentity(workload: string, change: Partial<Identity> = {}): Promise<string> {
    const { node, workload: spec } = this.lab.workload(workload);
    const wish = Identity.fromPartial({
      spiffeId: this.spiffeId(workload),
      parentId: `spiffe://${this.lab.spec.trustDomain}/symbolon/node/${node.name}`,
      selectors: [`unix:uid:${spec.uid}`],
      ...change,
    });
    const { identity } = await this.lab.authority.call((client) => callUnary(client, ControlService.createIdentity, { identity: wish }));
    return identity?.id ?? '';
  }

  /** Declares a policy; resolves when the agents enforce it. Returns its id. */
  async declarePolicy({ from, to, ...sketch }: PolicySketch): Promise<string> {
    const wish = AuthPolicy.fromPartial({
      sources: { spiffeIds: from.map((name) => this.spiffeId(name)) },
      destinations: { spiffeIds: to.map((name) => this.spiffeId(name)) },
      side: 'both',
      action: 'allow',
      mode: 'enforce',
      protection: 'authenticated',
      ...sketch,
    });
    const made = await this.lab.authority.call((client) => callUnary(client, ControlService.createAuthPolicy, { policy: wish }));
    await this.enforced(made.revision);
    return made.policy?.id ?? '';
  }

  /** Removes a policy by name. Resolves with the revision, not waiting for the agents. */
  async removePolicy(name: string): Promise<bigint> {
    return await this.lab.authority.call(async (client) => {
      const { id } = await callUnary(client, ControlService.getAuthPolicy, { id: '', name });
      return (await callUnary(client, ControlService.deleteAuthPolicy, { id, expectedGeneration: undefined })).revision;
    });
  }

  /** Resolves when every connected agent enforces the revision. Throws if one does not in time. */
  async enforced(revision: bigint): Promise<void> {
    const answer = await this.lab.authority.call((client) =>
      callUnary(
        client,
        ControlService.watchEnforcement,
        { revision, timeoutMs: ENFORCED_WITHIN_MS },
        { timeoutMs: ENFORCED_WITHIN_MS + 5000 },
      ),
    );
    if (!answer.enforced) throw new Error(`revision ${revision} is not enforced by ${answer.laggingNodes.join(', ')}`);
  }

  /** What an agent says of itself. */
  async agentStatus(node: string): Promise<{
    workloads: { identity?: string; gate: string; problem?: string; addresses: string[] }[];
    refused: Record<string, string>;
    pairs: object[];
  }> {
    return JSON.parse((await this.lab.agents.fetch(node, '/status')).body) as never;
  }

  /** Resolves when `check` does not throw any more; throws its last error after the time. */
  async eventually<T>(check: () => Promise<T> | T, timeoutMs = 5000): Promise<T> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      try {
        return await check();
      } catch (error) {
        if (Date.now() > end) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  /** waitForAttested in this lab. */
  async attested(names: readonly string[]): Promise<void> {
    await waitForAttested(this.lab, names);
  }

  async close(): Promise<void> {
    this.prober.close();
    await this.lab.down();
  }
}

/** The quickstart's lab file. */
export function quickstartSpec(): LabSpec {
  const file = join(findCheckout(), 'examples/quickstart/lab.yaml');
  return parseLabFile(readFileSync(file, 'utf8'), 'lab.yaml');
}

/**
 * Puts a world up: the quickstart's lab by default, its identities and policies declared through the authority's API, all agents healthy and all
 * declared workloads attested.
 */
export async function startWorld(
  options: {
    readonly spec?: LabSpec;
    readonly identities?: readonly string[];
    readonly policies?: readonly PolicySketch[];
    /** What the agents are told of their uplinks; none: they find them themselves. */
    readonly uplinks?: readonly string[];
  } = {},
): Promise<World> {
  const lab = await startLab(options.spec ?? quickstartSpec());
  const world = new World(lab);
  try {
    await world.declareNodes();
    const identities = options.identities ?? DECLARED;
    for (const name of identities) await world.declareIdentity(name);
    await lab.agents.up([], options.uplinks);
    for (const policy of options.policies ?? QUICKSTART_POLICIES) await world.declarePolicy(policy);
    await world.attested(identities);
    return world;
  } catch (error) {
    await world.close();
    throw error;
  }
}
