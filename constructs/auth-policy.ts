import { Construct } from 'constructs';
import { parsePolicyName } from '#core/policy/parse';
import { Action } from './action.ts';
import { checkProp, knownText, refuseProp, sortedTexts } from './checks.ts';
import { AuthPolicyResource, type AuthPolicyResourceSources } from './gen/auth-policy-resource.ts';
import type { IParty } from './party.ts';
import type { Port } from './port.ts';
import { ProviderSettings } from './provider-settings.ts';
import { canWriteTo, waitFor } from './rows.ts';
import { Side } from './side.ts';
import type { ITrustDomain } from './trust-domain-interface.ts';

export interface AuthPolicyProps {
  /** Who connects: at least one. */
  readonly sources: IParty[];
  /** Who is connected to: at least one. */
  readonly destinations: IParty[];
  /** Which traffic: at least one. */
  readonly traffic: Port[];
  /** @default Action.ALLOW */
  readonly action?: Action;
  /** @default Side.BOTH */
  readonly side?: Side;
  /**
   * Its name, unique in each trust domain; decisions and logs name it.
   * @default - the construct's ID
   */
  readonly policyName?: string;
}

/** Options of `allowFrom`. */
export interface AllowFromOptions {
  /**
   * The policy's name.
   * @default - `<source>-to-<destination>`
   */
  readonly policyName?: string;
  /** @default Side.BOTH */
  readonly side?: Side;
}

function membersOf(parties: readonly IParty[]): AuthPolicyResourceSources {
  const members = parties.map((party) => party.toMembers());
  const all = {
    spiffeIds: sortedTexts(members.flatMap((m) => m.spiffeIds ?? [])),
    pathPrefixes: sortedTexts(members.flatMap((m) => m.pathPrefixes ?? [])),
    trustDomains: sortedTexts(members.flatMap((m) => m.trustDomains ?? [])),
  };
  return Object.fromEntries(Object.entries(all).filter(([, names]) => names.length > 0));
}

/** The trust domains of parties, each once. Where one is declared and elsewhere only named, the one with an authority stands for it: order means nothing. */
function domainsOf(parties: readonly IParty[]): ReadonlyMap<string, ITrustDomain> {
  const domains = new Map<string, ITrustDomain>();
  for (const { trustDomain } of parties) {
    const known = domains.get(trustDomain.trustDomainName);
    if (known?.authority === undefined) domains.set(trustDomain.trustDomainName, trustDomain);
  }
  return domains;
}

/** The side that a row enforces in a trust domain: where its workloads are sources, destinations or both; undefined if neither is wanted. */
function sideOf(domain: string, props: AuthPolicyProps): Side | undefined {
  const wanted = props.side ?? Side.BOTH;
  const has = (parties: readonly IParty[]): boolean => parties.some((party) => party.trustDomain.trustDomainName === domain);
  const egress = wanted !== Side.INGRESS && has(props.sources);
  const ingress = wanted !== Side.EGRESS && has(props.destinations);
  if (egress) return ingress ? Side.BOTH : Side.EGRESS;
  return ingress ? Side.INGRESS : undefined;
}

/**
 * Who may, or may not, open connections to whom. It becomes one row in each trust domain that is declared and has a workload at an end: enforced there as
 * egress at the sources' nodes, as ingress at the destinations'.
 */
export class AuthPolicy extends Construct {
  /** What `allowFrom` makes: an allow from one party to another, below `scope`. */
  static allow(scope: Construct, source: IParty, destination: IParty, traffic: Port[], options: AllowFromOptions = {}): AuthPolicy {
    const foreign = source.trustDomain.trustDomainName !== destination.trustDomain.trustDomainName;
    const from =
      foreign && source.partyName !== source.trustDomain.trustDomainName
        ? `${source.trustDomain.trustDomainName}.${source.partyName}`
        : source.partyName;
    // A pair may have several policies, of several names; each keeps its address whatever becomes of the others.
    const id = options.policyName === undefined ? `allow-from-${from}` : `allow-from-${from}-as-${options.policyName}`;
    if (scope.node.tryFindChild(id) !== undefined) {
      const why = `${from} is allowed to reach ${destination.partyName} already by a policy of this name; give one of them another policyName, or name all traffic in one`;
      refuseProp(scope, 'policyName', options.policyName ?? '', why);
    }
    return new AuthPolicy(scope, id, {
      sources: [source],
      destinations: [destination],
      traffic,
      policyName: options.policyName ?? `${from}-to-${destination.partyName}`,
      ...(options.side === undefined ? {} : { side: options.side }),
    });
  }

  /** Its name in each trust domain. */
  readonly policyName: string;
  /** The rows in Terraform, one for each trust domain that is declared, by the trust domains' names. */
  readonly resources: { readonly [trustDomain: string]: AuthPolicyResource };

  constructor(scope: Construct, id: string, props: AuthPolicyProps) {
    super(scope, id);
    this.policyName = knownText(this, 'policyName', props.policyName ?? id);
    checkProp(this, 'policyName', this.policyName, parsePolicyName);
    for (const prop of ['sources', 'destinations', 'traffic'] as const) {
      if (props[prop].length === 0) refuseProp(this, prop, '', 'it is empty, so that the policy would say nothing');
    }
    const domains = domainsOf([...props.sources, ...props.destinations]);
    const rows = [...domains.values()].flatMap((domain) => this.row(domain, props));
    if (rows.length === 0) {
      const names = [...domains.keys()].join(', ');
      refuseProp(
        this,
        'sources',
        names,
        `nothing would enforce it: none of its trust domains (${names}) is declared here on the side that is asked for`,
      );
    }
    this.resources = Object.fromEntries(rows);
  }

  private row(domain: ITrustDomain, props: AuthPolicyProps): readonly (readonly [string, AuthPolicyResource])[] {
    const name = domain.trustDomainName;
    const side = sideOf(name, props);
    if (side === undefined) return [];
    if (!canWriteTo(this, domain)) {
      ProviderSettings.of(this).leaveOut(this, name);
      return [];
    }
    ProviderSettings.of(this).claimPolicyName(this, name, this.policyName);
    const resource = new AuthPolicyResource(this, name, {
      trustDomain: name,
      name: this.policyName,
      sources: membersOf(props.sources),
      destinations: membersOf(props.destinations),
      traffic: sortedTexts(props.traffic.map((port) => port.text)),
      side,
      action: props.action ?? Action.ALLOW,
      ...waitFor(this, ProviderSettings.of(this).settingsOf(name)),
    });
    return [[name, resource]];
  }
}
