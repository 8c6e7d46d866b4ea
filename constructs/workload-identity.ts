import { Construct, type IConstruct } from 'constructs';
import { parseIpAddress } from '#core/network/address';
import { isReservedId } from '#core/registration/node-id';
import { parseSpiffeId, pathOf, pathProblem, type SpiffeId, trustDomainOf } from '#core/spiffe/id';
import { type AllowFromOptions, AuthPolicy } from './auth-policy.ts';
import { checkLifetime, checkProp, checkProps, knownText, refuseProp, sortedTexts } from './checks.ts';
import type { Enforcement } from './enforcement.ts';
import { IdentityResource } from './gen/identity-resource.ts';
import { type IPlacement, Node } from './node.ts';
import type { IParty, PartyMembers } from './party.ts';
import type { Port } from './port.ts';
import { ProviderSettings } from './provider-settings.ts';
import { requireWritable, waitFor } from './rows.ts';
import type { Selector } from './selector.ts';
import { TrustDomain } from './trust-domain.ts';
import type { ITrustDomain } from './trust-domain-interface.ts';

/** A workload that can prove who it is. */
export interface IWorkloadIdentity extends IConstruct, IParty {
  /** Its SPIFFE ID, `spiffe://east.example/web`. */
  readonly spiffeId: string;
  /**
   * Allows connections from a party to this workload. One call for each source; the policy's name is `<source>-to-<this>`, with the source's trust
   * domain before it if that is another one.
   */
  allowFrom(source: IParty, traffic: Port[], options?: AllowFromOptions): AuthPolicy;
}

export interface WorkloadIdentityProps {
  /** The node that the workload runs on. */
  readonly placement: IPlacement;
  /**
   * The path of its SPIFFE ID, like `/web`. Paths below `/symbolon` are reserved.
   * @default - a slash and the construct's ID
   */
  readonly path?: string;
  /** What the agent must find on a process to give it this identity: all of them. */
  readonly selectors: Selector[];
  /**
   * The workload's own addresses.
   * @default - whatever the node finds, inside its prefixes
   */
  readonly addresses?: string[];
  /**
   * Lifetime of its X509-SVIDs, like `1h`.
   * @default - the trust domain's
   */
  readonly x509SvidTtl?: string;
  /**
   * DNS names in its X509-SVIDs.
   * @default - none
   */
  readonly dnsNames?: string[];
  /**
   * Tells a workload with several identities which one this is.
   * @default - none
   */
  readonly hint?: string;
  /**
   * What must be proven for the workload.
   * @default - the trust domain's
   */
  readonly enforcement?: Enforcement;
}

abstract class NamedWorkload extends Construct implements IWorkloadIdentity {
  abstract readonly spiffeId: string;
  abstract readonly trustDomain: ITrustDomain;

  get partyName(): string {
    return pathOf(this.spiffeId as SpiffeId)
      .slice(1)
      .replaceAll('/', '.');
  }

  toMembers(): PartyMembers {
    return { spiffeIds: [this.spiffeId] };
  }

  allowFrom(source: IParty, traffic: Port[], options: AllowFromOptions = {}): AuthPolicy {
    return AuthPolicy.allow(this, source, this, traffic, options);
  }
}

/** Checks the ID of a workload; a path that is no workload's is refused. */
function workloadId(scope: Construct, prop: string, text: string): SpiffeId {
  checkProp(scope, prop, text, parseSpiffeId);
  const id = parseSpiffeId(text);
  if (pathOf(id) === '') refuseProp(scope, prop, text, `${text} has no path; a workload needs one, like /web`);
  if (isReservedId(id)) refuseProp(scope, prop, text, `${text} lies below /symbolon, which is reserved for the system`);
  return id;
}

class ImportedWorkload extends NamedWorkload {
  readonly spiffeId: string;
  readonly trustDomain: ITrustDomain;

  constructor(scope: Construct, id: string, spiffeId: string) {
    super(scope, id);
    const parsed = workloadId(this, 'spiffeId', knownText(this, 'spiffeId', spiffeId));
    this.spiffeId = parsed;
    this.trustDomain = TrustDomain.fromName(this, 'TrustDomain', trustDomainOf(parsed));
  }
}

/** The identity of a workload: which SPIFFE ID a process gets that runs on a node and bears all the selectors. */
export class WorkloadIdentity extends NamedWorkload {
  /** A workload that another stack declares: it can be named in policies. */
  static fromSpiffeId(scope: Construct, id: string, spiffeId: string): IWorkloadIdentity {
    return new ImportedWorkload(scope, id, spiffeId);
  }

  readonly spiffeId: string;
  readonly trustDomain: ITrustDomain;
  /** The row in Terraform. */
  readonly resource: IdentityResource;

  constructor(scope: Construct, id: string, props: WorkloadIdentityProps) {
    super(scope, id);
    this.trustDomain = props.placement.trustDomain;
    const path = knownText(this, 'path', props.path ?? `/${id}`);
    const problem = pathProblem(path);
    if (problem !== undefined) refuseProp(this, 'path', path, `${JSON.stringify(path)}: ${problem}`);
    this.spiffeId = workloadId(this, 'path', `spiffe://${this.trustDomain.trustDomainName}${path}`);
    if (props.selectors.length === 0) {
      refuseProp(this, 'selectors', '', 'it is empty; without a selector every process of the node would be this workload');
    }
    checkProps(this, 'addresses', props.addresses, parseIpAddress);
    checkLifetime(this, 'x509SvidTtl', props.x509SvidTtl);
    requireWritable(this, 'placement', this.trustDomain);
    const selectors = sortedTexts(props.selectors.map((selector) => selector.text));
    ProviderSettings.of(this).claim(
      this,
      'selectors',
      `identity ${JSON.stringify([this.spiffeId, props.placement.nodeId, ...selectors])}`,
      `the identity ${this.spiffeId} on ${props.placement.nodeId} with these selectors`,
    );
    this.resource = new IdentityResource(this, 'Default', {
      spiffeId: this.spiffeId,
      parentId: props.placement.nodeId,
      selectors: [...selectors],
      ...(props.addresses === undefined ? {} : { addresses: sortedTexts(props.addresses) }),
      ...(props.x509SvidTtl === undefined ? {} : { x509SvidTtl: props.x509SvidTtl }),
      ...(props.dnsNames === undefined ? {} : { dnsNames: sortedTexts(props.dnsNames) }),
      ...(props.hint === undefined ? {} : { hint: props.hint }),
      ...(props.enforcement === undefined ? {} : { enforcement: props.enforcement }),
      ...waitFor(this, props.placement instanceof Node ? props.placement.resource : undefined),
    });
  }
}
