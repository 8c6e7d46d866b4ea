import type { Flow } from '#core/network/flow';
import { type IpAddress, parseIpAddress } from '#core/network/address';
import { parseIpPrefix } from '#core/network/prefix';
import type { Grant } from '#core/policy/model';
import { buildDirectory, type DirectoryNode, type NodeDirectory } from '#core/registration/directory';
import { maySpeakFor } from '#core/registration/placement';
import type { BundleSet } from '#core/spiffe/bundle';
import type { SpiffeId } from '#core/spiffe/id';
import type { X509Svid } from '#core/spiffe/svid';
import { TEST_NOW, type TestCa, type TestCertificate } from '#core/spiffe/testing/ca';
import { createSvidVerifier, type SvidVerifier, verifyX509Svid } from '#core/spiffe/verify';
import { addMs, type Instant } from '#core/time/instant';
import { type Clock, systemClock } from '#daemon/clock';
import type { Credential, PairJudge } from '../../proof/contract.ts';

const started = Date.now();
/** Goes as the machine's clock does, from the moment at which test certificates are valid. */
export const testClock: Clock = { now: () => addMs(TEST_NOW, Date.now() - started), after: (ms, run) => systemClock.after(ms, run) };

const ALL_TCP: readonly Grant[] = [{ protocol: 6, lowPort: 1, highPort: 65_535 }];

/** A policy of one side: what may be sent from whom to whom; empty = denied. */
export type TestPolicy = (from: SpiffeId, to: SpiffeId, flow: Flow) => readonly Grant[];

/** One node's view and credentials, real but for the policy: a function that a test may replace. `changed()` is what a new view does. */
export class TestNode implements PairJudge {
  lifetimeSeconds = 600;
  egress: TestPolicy = () => ALL_TCP;
  ingress: TestPolicy = () => ALL_TCP;
  directory: NodeDirectory = buildDirectory([]);
  /** By address. */
  readonly workloads = new Map<string, Credential>();
  /** Addresses of workloads whose SVID is not at hand. */
  readonly withoutSvid = new Set<string>();
  private current = 1n;
  private readonly verifier: SvidVerifier = createSvidVerifier();

  constructor(
    readonly name: string,
    public credential: Credential,
    public bundles: BundleSet,
  ) {}

  /** A node with its SVID from the CA; `bundles` are those it trusts (the CA's own by default). */
  static async create(ca: TestCa, name: string, bundles: BundleSet = ca.bundles, fields: TestCertificate = {}): Promise<TestNode> {
    const issued = await ca.issueNode(name, fields);
    const svid = verifyX509Svid(issued.chain, ca.bundles, fields.notBefore ?? TEST_NOW);
    return new TestNode(name, { svid, privateKey: issued.privateKey }, bundles);
  }

  get id(): SpiffeId {
    return this.credential.svid.id;
  }

  changed(bundles?: BundleSet): void {
    if (bundles) this.bundles = bundles;
    this.current++;
  }

  async addWorkload(ca: TestCa, address: string, path: string, fields: TestCertificate = {}): Promise<Credential> {
    const issued = await ca.issueWorkload(path, this.name, fields);
    const credential = { svid: issued.verified(fields.notBefore ?? TEST_NOW), privateKey: issued.privateKey };
    this.workloads.set(address, credential);
    return credential;
  }

  localWorkload(flow: Flow, end: 'source' | 'destination'): ReturnType<PairJudge['localWorkload']> {
    const { text } = flow[end];
    return this.withoutSvid.has(text) ? 'pending' : this.workloads.get(text);
  }

  verifySvid(chain: readonly Uint8Array[]): X509Svid {
    return this.verifier.verify(chain, this.bundles, testClock.now());
  }

  judge(request: Parameters<PairJudge['judge']>[0]): ReturnType<PairJudge['judge']> {
    const { peerNode, peer, local, flow, peerEnd } = request;
    const problem = maySpeakFor(this.directory, peerNode, peer.issuedToNode, peerEnd === 'source' ? flow.source : flow.destination);
    if (problem) return { verdict: 'refused', reason: 'not-placed', detail: problem };
    const grants = peerEnd === 'source' ? this.ingress(peer.id, local, flow) : this.egress(local, peer.id, flow);
    if (grants.length === 0) return { verdict: 'refused', reason: 'denied-by-policy', detail: 'no policy allows it' };
    return { verdict: 'accepted', grants };
  }

  generation(): bigint {
    return this.current;
  }

  now(): Instant {
    return testClock.now();
  }
}

/** Gives every node the directory of all of them: node number n serves 10.n.0.0/16, its agent listens at the port given for it. */
export function linkNodes(nodes: readonly TestNode[], ports: readonly number[] = []): NodeDirectory {
  const loopback: IpAddress = parseIpAddress('127.0.0.1');
  const entries = nodes.map(
    (node, i): DirectoryNode => ({
      source: 'east.example' as DirectoryNode['source'],
      realm: 0,
      nodeId: node.id,
      kind: 'node',
      prefixes: [parseIpPrefix(`10.${i + 1}.0.0/16`)],
      endpoints: [{ address: loopback, port: ports[i] ?? 1 }],
      generation: 1n,
    }),
  );
  const directory = buildDirectory(entries);
  for (const node of nodes) node.directory = directory;
  return directory;
}
