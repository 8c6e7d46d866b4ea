import { SymbolonError } from '#core/errors/error';
import { createLogger } from '#daemon/log';
import { type GrpcServer, serveUnix } from '#daemon/grpc/serve';
import type { Handlers } from '#daemon/grpc/service';
import { BundleService } from '#proto/gen/spire/server/bundle';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { type AuthPolicy, Enforcement, type Identity, type Node, type TrustDomainSettings } from '#proto/gen/symbolon/authority/types';
import { FakeObjects } from './fake-objects.ts';

/** An authority in memory, for what a real one cannot be made to do in a test: lag, stall, change behind our back, count calls. */
export class FakeAuthority {
  readonly nodes = new FakeObjects<Node>((node) => `node ${node.name}`);
  readonly policies = new FakeObjects<AuthPolicy>((policy) => `auth policy ${policy.name}`);
  readonly identities = new FakeObjects<Identity>(
    (identity) => `identity ${[identity.spiffeId, identity.parentId, ...identity.selectors].join(' ')}`,
  );
  settings: TrustDomainSettings;
  /** Connected nodes that enforce nothing. */
  lagging: string[] = [];
  /** How often each method was called. */
  readonly calls = new Map<string, number>();
  /** Awaited after a change is stored, before it is answered. */
  beforeAnswer: () => Promise<void> = () => Promise.resolve();
  private revision = 0n;
  private server: GrpcServer | undefined;

  constructor(trustDomain: string) {
    this.settings = {
      trustDomain,
      x509SvidTtlSeconds: 0,
      enforcement: Enforcement.ENFORCEMENT_UNSPECIFIED,
      addressPrefixes: [],
      ownership: { owner: '', generation: 0n },
      adopted: false,
    };
  }

  async serve(path: string): Promise<void> {
    this.server = await serveUnix({ path, log: createLogger({ name: 'fake', level: 'error' }) });
    const count = { onDone: (call: { readonly path: string }) => this.count(call.path.slice(call.path.lastIndexOf('/') + 1)) };
    this.server.add(ControlService, this.handlers(), count);
    const certificate = { asn1: Buffer.from('not a real certificate'), tainted: false };
    this.server.add(BundleService, {
      getBundle: async () => ({
        trustDomain: this.settings.trustDomain,
        x509Authorities: [certificate],
        jwtAuthorities: [],
        refreshHint: 300n,
        sequenceNumber: 9_007_199_254_740_993n,
      }),
    });
  }

  async close(): Promise<void> {
    await this.server?.close();
  }

  private count(method: string): void {
    this.calls.set(method, (this.calls.get(method) ?? 0) + 1);
  }

  private async changed<T>(result: T): Promise<T & { revision: bigint }> {
    this.revision += 1n;
    const revision = this.revision;
    await this.beforeAnswer();
    return { ...result, revision };
  }

  private handlers(): Handlers<typeof ControlService> {
    const { nodes, policies, identities } = this;
    const given = <M>(message: M | undefined): M => {
      if (message === undefined) throw new TypeError('the message is missing');
      return message;
    };
    return {
      getTrustDomain: async () => this.settings,
      setTrustDomain: async ({ settings, expectedGeneration }) => {
        const body = ({ x509SvidTtlSeconds, enforcement, addressPrefixes }: TrustDomainSettings): string =>
          JSON.stringify([x509SvidTtlSeconds, enforcement, addressPrefixes]);
        const owner = settings?.ownership?.owner ?? '';
        const isOwn = owner !== '' && owner === this.settings.ownership?.owner && body(given(settings)) === body(this.settings);
        if (this.settings.adopted && expectedGeneration === undefined && !isOwn) {
          const what = this.settings.trustDomain;
          throw new SymbolonError('ALREADY_EXISTS', `the settings of ${what} are declared already`, { what });
        }
        const generation = (this.settings.ownership?.generation ?? 0n) + 1n;
        this.settings = { ...given(settings), adopted: true, ownership: { owner: settings?.ownership?.owner ?? '', generation } };
        return this.changed({ settings: this.settings });
      },
      resetTrustDomain: async () => {
        this.settings = new FakeAuthority(this.settings.trustDomain).settings;
        return this.changed({});
      },
      listNodes: async () => ({ nodes: [...nodes.all.values()] }),
      createNode: async ({ node }) => this.changed({ node: nodes.create(given(node)) }),
      updateNode: async ({ node, expectedGeneration }) => this.changed({ node: nodes.update(given(node), expectedGeneration) }),
      deleteNode: async ({ id, expectedGeneration }) => this.changed({ done: nodes.delete(id, expectedGeneration) }),
      listAuthPolicies: async () => ({ policies: [...policies.all.values()] }),
      createAuthPolicy: async ({ policy }) => this.changed({ policy: policies.create(given(policy)) }),
      updateAuthPolicy: async ({ policy, expectedGeneration }) =>
        this.changed({ policy: policies.update(given(policy), expectedGeneration) }),
      deleteAuthPolicy: async ({ id, expectedGeneration }) => this.changed({ done: policies.delete(id, expectedGeneration) }),
      listIdentities: async () => ({ identities: [...identities.all.values()] }),
      createIdentity: async ({ identity }) => this.changed({ identity: identities.create(given(identity)) }),
      updateIdentity: async ({ identity, expectedGeneration }) =>
        this.changed({ identity: identities.update(given(identity), expectedGeneration) }),
      deleteIdentity: async ({ id, expectedGeneration }) => this.changed({ done: identities.delete(id, expectedGeneration) }),
      watchEnforcement: async ({ timeoutMs }) => {
        if (this.lagging.length > 0) await new Promise((resolve) => setTimeout(resolve, timeoutMs));
        return { enforced: this.lagging.length === 0, connectedAgents: this.lagging.length, laggingNodes: this.lagging };
      },
    };
  }
}
