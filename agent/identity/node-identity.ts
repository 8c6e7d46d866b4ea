import { describeError, SymbolonError } from '#core/errors/error';
import type { BundleSet } from '#core/spiffe/bundle';
import type { SpiffeId, TrustDomain } from '#core/spiffe/id';
import type { Clock } from '#daemon/clock';
import type { Logger } from '#daemon/log';
import { VERSION } from '#daemon/version';
import type { SyncReport, SyncState } from '#proto/gen/symbolon/authority/sync';
import type { Credential } from '../proof/contract.ts';
import { type AuthorityClient, createAuthorityClient } from './authority-client.ts';
import { obtainNodeCredential } from './node-credential.ts';
import { type NodeFiles, openNodeFiles } from './node-files.ts';
import { NodeRenewal } from './node-renewal.ts';
import type { NodeView } from './node-view.ts';
import { parseBundles, parseSyncState } from './parse-sync-state.ts';
import { Emitter } from '#daemon/emitter';
import { SyncLoop } from './sync-loop.ts';
import { WorkloadCredentials } from './workload-credentials.ts';

export interface NodeIdentityOptions {
  readonly trustDomain: TrustDomain;
  /** `host:port` of the authority. */
  readonly authority: string;
  /** Bundles that the first contact is verified by; those of the last view take their place. */
  readonly bootstrap: BundleSet;
  readonly joinToken?: string | undefined;
  readonly dataDirectory: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends the wait for an authority that cannot be reached. */
  readonly signal: AbortSignal;
  /** From 0 to 1; default Math.random. */
  readonly random?: () => number;
}

/** How the node stands with its authority, for status. */
export interface NodeIdentityStatus {
  readonly nodeId: SpiffeId;
  readonly svidNotAfter: number;
  readonly connected: boolean;
  readonly revision: bigint | undefined;
  readonly enforcedRevision: bigint;
  /** Things that are wrong now, for people. */
  readonly problems: readonly string[];
}

/** Who this node is, what its authority told it, and the SVIDs of its workloads. */
export interface NodeIdentity {
  readonly nodeId: SpiffeId;
  /** The node's own credential; new after each `onCredential`. */
  credential(): Credential;
  /** The newest view; after a restart the stored one, before the authority has answered. */
  view(): NodeView | undefined;
  /** The valid credential of an entry of this node. */
  workload(entryId: string): Credential | undefined;
  /** Each of these returns the function that unsubscribes. */
  onView(listener: (view: NodeView) => void): () => void;
  onCredential(listener: (credential: Credential) => void): () => void;
  /** The id of an entry whose credential is new, renewed or gone. */
  onWorkload(listener: (entryId: string) => void): () => void;
  /** The node enforces this revision; or `problem` says why it cannot enforce the newest. */
  acknowledge(revision: bigint, problem?: string): void;
  status(): NodeIdentityStatus;
  close(): Promise<void>;
}

class LiveNodeIdentity implements NodeIdentity {
  readonly nodeId: SpiffeId;
  private readonly log: Logger;
  private readonly views = new Emitter<NodeView>();
  private readonly workloads: WorkloadCredentials;
  private readonly sync: SyncLoop;
  private newest: NodeView | undefined;
  private enforcedRevision = 0n;
  /** Why the newest state was not taken over. */
  private stateProblem: string | undefined;
  private storeProblem: string | undefined;
  /** Why the newest view is not enforced, as the agent says. */
  private applyProblem: string | undefined;

  constructor(
    private readonly options: NodeIdentityOptions,
    private readonly files: NodeFiles,
    private readonly client: AuthorityClient,
    private readonly renewal: NodeRenewal,
    stored: SyncState | undefined,
    private readonly trust: { bundles: BundleSet },
  ) {
    const { clock, log } = options;
    const random = options.random ?? Math.random;
    this.nodeId = renewal.credential.svid.id;
    this.log = log;
    this.workloads = new WorkloadCredentials({ client, nodeId: this.nodeId, clock, log, random });
    if (stored) this.take(stored);
    this.sync = new SyncLoop({
      open: () => client.synchronize(),
      report: () => this.report(),
      onState: (state) => this.receive(state),
      clock,
      log,
      random,
    });
    renewal.renewed.subscribe(() => {
      client.reconnect();
      this.sync.reconnect();
    });
  }

  /** True if the state is the view now. */
  private take(state: SyncState): boolean {
    try {
      const view = parseSyncState(state, this.options.trustDomain, this.nodeId, this.newest);
      this.newest = view;
      this.trust.bundles = view.bundles;
      this.stateProblem = undefined;
    } catch (error) {
      this.stateProblem = `revision ${state.revision} of the authority's state cannot be used: ${describeError(error)}`;
      this.log.error({ error, revision: state.revision.toString() }, 'the state of the authority cannot be used; the one before stays');
      return false;
    }
    this.workloads.update(this.newest);
    return true;
  }

  private receive(state: SyncState): void {
    if (this.take(state) && this.newest) {
      this.log.info({ revision: state.revision.toString() }, 'took over a new state of the authority');
      this.views.emit(this.newest);
      this.store(state);
    }
    this.workloads.retry();
    this.sync.report();
  }

  /** A full disk must not keep the node from enforcing what it was told. */
  private store(state: SyncState): void {
    try {
      this.files.saveState(state);
      this.storeProblem = undefined;
    } catch (error) {
      this.storeProblem = `the state cannot be stored; a restart without the authority would begin with an older one: ${describeError(error)}`;
      this.log.error({ error }, 'the state of the authority cannot be stored');
    }
  }

  private report(): SyncReport {
    return { enforcedRevision: this.enforcedRevision, agentVersion: VERSION, problem: this.stateProblem ?? this.applyProblem ?? '' };
  }

  credential(): Credential {
    return this.renewal.credential;
  }

  view(): NodeView | undefined {
    return this.newest;
  }

  workload(entryId: string): Credential | undefined {
    return this.workloads.get(entryId);
  }

  onView(listener: (view: NodeView) => void): () => void {
    return this.views.subscribe(listener);
  }

  onCredential(listener: (credential: Credential) => void): () => void {
    return this.renewal.renewed.subscribe(listener);
  }

  onWorkload(listener: (entryId: string) => void): () => void {
    return this.workloads.changed.subscribe(listener);
  }

  acknowledge(revision: bigint, problem?: string): void {
    this.enforcedRevision = revision;
    this.applyProblem = problem;
    this.sync.report();
  }

  status(): NodeIdentityStatus {
    const workloadProblems = [...this.workloads.problems()].map(([id, problem]) => `entry ${id}: ${problem}`);
    const problems = [
      this.renewal.problem,
      this.sync.problem,
      this.stateProblem,
      this.storeProblem,
      this.applyProblem,
      ...workloadProblems,
    ];
    return {
      nodeId: this.nodeId,
      svidNotAfter: this.credential().svid.notAfter,
      connected: this.sync.connected,
      revision: this.newest?.revision,
      enforcedRevision: this.enforcedRevision,
      problems: problems.filter((problem) => problem !== undefined),
    };
  }

  async close(): Promise<void> {
    this.renewal.close();
    this.workloads.close();
    await this.sync.close();
    this.client.close();
  }
}

/** The stored state with its bundles, if both can be read. */
function loadState(
  files: NodeFiles,
  trustDomain: TrustDomain,
  log: Logger,
): { readonly state: SyncState; readonly bundles: BundleSet } | undefined {
  try {
    const state = files.loadState();
    return state && { state, bundles: parseBundles(state, trustDomain) };
  } catch (error) {
    log.warn({ error }, 'the stored state of the authority cannot be used');
    return undefined;
  }
}

/**
 * Joins (or takes up the stored credential), then keeps everything up to date until `close`. Resolves when the node has a credential; the
 * view may come later. Throws CONFIG_INVALID without credential and token, or what the authority refuses with.
 */
export async function startNodeIdentity(options: NodeIdentityOptions): Promise<NodeIdentity> {
  const { clock, log, trustDomain } = options;
  const files = openNodeFiles(options.dataDirectory);
  const stored = loadState(files, trustDomain, log);
  const trust = { bundles: stored?.bundles ?? options.bootstrap };
  if ((trust.bundles.get(trustDomain)?.authorities.length ?? 0) === 0) {
    throw new SymbolonError(
      'CONFIG_INVALID',
      `nothing tells this node which authority of ${trustDomain} is the right one; give the agent the trust domain's bundle for its first start`,
      { path: '--bootstrap-bundle', value: '' },
    );
  }
  let renewal: NodeRenewal | undefined;
  const client = createAuthorityClient({
    address: options.authority,
    trustDomain,
    bundles: () => trust.bundles,
    credential: () => renewal && { chain: renewal.credential.svid.chain, privateKey: renewal.credential.privateKey },
    clock,
  });
  const join = {
    trustDomain,
    client,
    files,
    bundles: () => trust.bundles,
    clock,
    log,
    random: options.random ?? Math.random,
    signal: options.signal,
  };
  try {
    renewal = new NodeRenewal(await obtainNodeCredential(join, options.joinToken), join);
  } catch (error) {
    client.close();
    throw error;
  }
  // The connection that joined showed no certificate.
  client.reconnect();
  return new LiveNodeIdentity(options, files, client, renewal, stored?.state, trust);
}
