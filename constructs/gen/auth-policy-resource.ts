// Made by build/bindings.js from the provider's schema. Not edited by hand.
import { Fn, listMapper, stringToTerraform, TerraformMetaArguments, TerraformResource } from 'cdktf';
import type { Construct } from 'constructs';

export interface AuthPolicyResourceDestinations {
  /** Workloads whose ID begins with all the segments of one of these: `spiffe://east.example/shop` names `/shop` and `/shop/web`, not `/shopping`. */
  readonly pathPrefixes?: readonly string[];
  /** Workloads with exactly these SPIFFE IDs. */
  readonly spiffeIds?: readonly string[];
  /** All workloads of these trust domains. */
  readonly trustDomains?: readonly string[];
}

function authPolicyResourceDestinationsToTerraform(struct?: AuthPolicyResourceDestinations): unknown {
  if (struct === undefined) return undefined;
  return {
    path_prefixes: listMapper(stringToTerraform, false)(struct.pathPrefixes),
    spiffe_ids: listMapper(stringToTerraform, false)(struct.spiffeIds),
    trust_domains: listMapper(stringToTerraform, false)(struct.trustDomains),
  };
}

export interface AuthPolicyResourceSources {
  /** Workloads whose ID begins with all the segments of one of these: `spiffe://east.example/shop` names `/shop` and `/shop/web`, not `/shopping`. */
  readonly pathPrefixes?: readonly string[];
  /** Workloads with exactly these SPIFFE IDs. */
  readonly spiffeIds?: readonly string[];
  /** All workloads of these trust domains. */
  readonly trustDomains?: readonly string[];
}

function authPolicyResourceSourcesToTerraform(struct?: AuthPolicyResourceSources): unknown {
  if (struct === undefined) return undefined;
  return {
    path_prefixes: listMapper(stringToTerraform, false)(struct.pathPrefixes),
    spiffe_ids: listMapper(stringToTerraform, false)(struct.spiffeIds),
    trust_domains: listMapper(stringToTerraform, false)(struct.trustDomains),
  };
}

export interface AuthPolicyResourceConfig extends TerraformMetaArguments {
  /** `allow` or `deny`. A deny wins over every allow. Default: `allow`. */
  readonly action?: string;
  /** Who is connected to. */
  readonly destinations: AuthPolicyResourceDestinations;
  /** `enforce`. Default: `enforce`. */
  readonly mode?: string;
  /** Name of the policy, unique in the trust domain; decisions and logs name it. */
  readonly name: string;
  /** What the traffic is protected with once both workloads are proven: `authenticated`. Default: `authenticated`. */
  readonly protection?: string;
  /** Which end's nodes enforce it: `both`, `egress` (the sources'), `ingress` (the destinations'). A connection must be allowed at both ends, perhaps by two policies of two owners. Default: `both`. */
  readonly side?: string;
  /** Who connects. A workload belongs to it if any of the sets names it. */
  readonly sources: AuthPolicyResourceSources;
  /** Which traffic, by protocol and port of the destination: `tcp/8443`, `udp/5000-5100`, `icmp`, `protocol/132`, `any`. */
  readonly traffic: readonly string[];
  /** Trust domain whose nodes enforce the policy: at the source as egress, at the destination as ingress. */
  readonly trustDomain: string;
}

/** Who may open connections to whom, once both have proven who they are. Without an allow nothing passes between workloads with identities; removing one cuts established connections, too. Make several with `for_each` keyed by the name, not with `count`: an index that moves deletes and makes again every policy behind it, and cuts their connections. */
export class AuthPolicyResource extends TerraformResource {
  static readonly tfResourceType = 'symbolon_auth_policy';
  private readonly config: AuthPolicyResourceConfig;

  constructor(scope: Construct, id: string, config: AuthPolicyResourceConfig) {
    super(scope, id, {
      ...config,
      terraformResourceType: 'symbolon_auth_policy',
      terraformGeneratorMetadata: { providerName: 'symbolon', providerVersionConstraint: '~> 0.1.0' },
    });
    this.config = config;
  }

  /** `allow` or `deny`. A deny wins over every allow. Default: `allow`. */
  get action(): string {
    return this.getStringAttribute('action');
  }

  /** The authority's identifier of the policy. */
  get id(): string {
    return this.getStringAttribute('id');
  }

  /** `enforce`. Default: `enforce`. */
  get mode(): string {
    return this.getStringAttribute('mode');
  }

  /** Name of the policy, unique in the trust domain; decisions and logs name it. */
  get name(): string {
    return this.getStringAttribute('name');
  }

  /** What the traffic is protected with once both workloads are proven: `authenticated`. Default: `authenticated`. */
  get protection(): string {
    return this.getStringAttribute('protection');
  }

  /** Which end's nodes enforce it: `both`, `egress` (the sources'), `ingress` (the destinations'). A connection must be allowed at both ends, perhaps by two policies of two owners. Default: `both`. */
  get side(): string {
    return this.getStringAttribute('side');
  }

  /** Which traffic, by protocol and port of the destination: `tcp/8443`, `udp/5000-5100`, `icmp`, `protocol/132`, `any`. */
  get traffic(): string[] {
    return Fn.tolist(this.getListAttribute('traffic'));
  }

  /** Trust domain whose nodes enforce the policy: at the source as egress, at the destination as ingress. */
  get trustDomain(): string {
    return this.getStringAttribute('trust_domain');
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    return {
      action: stringToTerraform(this.config.action),
      destinations: authPolicyResourceDestinationsToTerraform(this.config.destinations),
      mode: stringToTerraform(this.config.mode),
      name: stringToTerraform(this.config.name),
      protection: stringToTerraform(this.config.protection),
      side: stringToTerraform(this.config.side),
      sources: authPolicyResourceSourcesToTerraform(this.config.sources),
      traffic: listMapper(stringToTerraform, false)(this.config.traffic),
      trust_domain: stringToTerraform(this.config.trustDomain),
    };
  }

  protected override synthesizeHclAttributes(): Record<string, unknown> {
    throw new Error('symbolon constructs are synthesised as JSON; leave hclOutput of the App off');
  }
}
