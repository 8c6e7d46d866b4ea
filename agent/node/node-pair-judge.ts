import { SymbolonError } from '#core/errors/error';
import type { IpAddress } from '#core/network/address';
import type { Flow } from '#core/network/flow';
import { type CompiledPolicies, compile } from '#core/policy/compile';
import { mayEverAllow, mayEverAllowSome } from '#core/policy/decide';
import type { SpiffeId } from '#core/spiffe/id';
import type { X509Svid } from '#core/spiffe/svid';
import { createSvidVerifier } from '#core/spiffe/verify';
import type { Clock } from '#daemon/clock';
import type { PairSpec } from '../datapath/contract.ts';
import type { NodeView } from '../identity/node-view.ts';
import { refused } from '../proof/refusal.ts';
import type { Credential, JudgedPair, Judgement, PairJudge } from '../proof/contract.ts';
import { mustWait, type WorkloadEndpoint } from './endpoints.ts';
import { judgePair } from './judge.ts';

/** How long a pair may live before its workloads prove themselves again. */
const PAIR_LIFETIME_SECONDS = 600;

/** What the node answers when its agent is asked about workloads, SVIDs and policies: always by the newest view and the present workloads. */
export class NodePairJudge implements PairJudge {
  readonly lifetimeSeconds = PAIR_LIFETIME_SECONDS;
  private readonly verifier = createSvidVerifier();
  private view: NodeView | undefined;
  private policies: CompiledPolicies | undefined;
  private byAddress = new Map<string, WorkloadEndpoint>();
  private changes = 0n;
  /** Answers about grants by the present policies. */
  private readonly grantsStand = new Map<string, boolean>();

  constructor(
    private readonly credentialOf: (entryId: string) => Credential | undefined,
    private readonly clock: Clock,
  ) {}

  /** Takes over a view and the node's workloads, whole. Throws POLICY_NOT_YET, and keeps what it had. */
  update(view: NodeView | undefined, endpoints: readonly WorkloadEndpoint[]): void {
    if (view && view !== this.view) {
      this.policies = compile(view.policies);
      this.grantsStand.clear();
    }
    this.view = view;
    this.byAddress = new Map(endpoints.flatMap((endpoint) => endpoint.addresses.map((address) => [address.text, endpoint] as const)));
    this.changes += 1n;
  }

  /** The attested workload at an address of this node that can prove itself. */
  endpointAt(address: IpAddress): WorkloadEndpoint | undefined {
    const endpoint = this.byAddress.get(address.text);
    return endpoint?.identity && endpoint.gate !== 'unmanaged' && !mustWait(endpoint) ? endpoint : undefined;
  }

  localWorkload(flow: Flow, end: 'source' | 'destination'): Credential | 'pending' | undefined {
    const endpoint = this.byAddress.get(flow[end].text);
    if (!endpoint?.identity || endpoint.gate === 'unmanaged') return undefined;
    return (mustWait(endpoint) ? undefined : this.credentialOf(endpoint.identity.entryId)) ?? 'pending';
  }

  verifySvid(chain: readonly Uint8Array[]): X509Svid {
    if (!this.view)
      throw new SymbolonError('UNAVAILABLE', 'this node has no bundles yet; its authority has not answered', { what: 'bundles' });
    return this.verifier.verify(chain, this.view.bundles, this.clock.now());
  }

  judge(pair: JudgedPair): Judgement {
    if (!this.view || !this.policies) return refused('denied-by-policy', 'this node has no policies yet');
    return judgePair({ directory: this.view.directory, policies: this.policies }, pair);
  }

  /** Whether any peer could be allowed this flow: if not, nobody need be asked. */
  mayBeAllowed(local: SpiffeId, flow: Flow): boolean {
    return this.policies !== undefined && mayEverAllow(this.policies, 'egress', { kind: 'workload', id: local }, flow);
  }

  /**
   * Whether a pair that an earlier agent has left may go on until it is proven anew: its workload is managed still, and there could be a peer that
   * this node's side allows it to. Who the peer is, the gate does not tell.
   */
  mayStand({ endpoint, local, remote, role, grants }: PairSpec): boolean {
    const { view, policies } = this;
    const known = this.byAddress.get(local.text);
    if (!known?.identity || known.endpoint !== endpoint || known.gate === 'unmanaged') return false;
    if (!view || !policies) return true;
    if (!view.directory.nodeOf(remote)) return false;
    const party = { kind: 'workload', id: known.identity.spiffeId } as const;
    const key = JSON.stringify([role, party.id, local.family, grants]);
    const answer =
      this.grantsStand.get(key) ?? mayEverAllowSome(policies, role === 'client' ? 'egress' : 'ingress', party, local.family, grants);
    this.grantsStand.set(key, answer);
    return answer;
  }

  generation(): bigint {
    return this.changes;
  }
}
