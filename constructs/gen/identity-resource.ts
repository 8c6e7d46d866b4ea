// Made by build/bindings.js from the provider's schema. Not edited by hand.
import { Fn, listMapper, stringToTerraform, TerraformMetaArguments, TerraformResource } from 'cdktf';
import type { Construct } from 'constructs';

export interface IdentityResourceConfig extends TerraformMetaArguments {
  /** The workload's own addresses. Default: whatever the node finds, inside its prefixes. */
  readonly addresses?: readonly string[];
  /** DNS names in its X509-SVIDs. */
  readonly dnsNames?: readonly string[];
  /** What must be proven for the workload: `all`; `inbound` = what reaches it, while its own traffic to addresses of no node is free; `off` = nothing. Default: that of the trust domain. */
  readonly enforcement?: string;
  /** Foreign trust domains whose bundles the workload gets. Not supported yet: leave it out. */
  readonly federatesWith?: readonly string[];
  /** Tells a workload with several identities which one this is (SPIFFE Workload API). */
  readonly hint?: string;
  /** SPIFFE ID of the node that the workload runs on, for instance `symbolon_node.east_1.spiffe_id`. */
  readonly parentId: string;
  /** What the agent must find on a process to give it this identity, all of them: `unix:uid:1001`, `unix:gid:1001`, `cgroup:path:/apps/web`. */
  readonly selectors: readonly string[];
  /** SPIFFE ID of the workload, `spiffe://<trust domain>/<path>`; paths under `/symbolon/` are reserved. */
  readonly spiffeId: string;
  /** Lifetime of its X509-SVIDs, like `"1h"`. Default: that of the trust domain. */
  readonly x509SvidTtl?: string;
}

/** The identity of a workload: which SPIFFE ID a process gets that runs on a node and bears all the selectors. Traffic of a workload with an identity passes only where auth policies allow it. Make several with `for_each` keyed by the path, not with `count`: an index that moves deletes and makes again every identity behind it, and cuts their connections. */
export class IdentityResource extends TerraformResource {
  static readonly tfResourceType = 'symbolon_identity';
  private readonly config: IdentityResourceConfig;

  constructor(scope: Construct, id: string, config: IdentityResourceConfig) {
    super(scope, id, {
      ...config,
      terraformResourceType: 'symbolon_identity',
      terraformGeneratorMetadata: { providerName: 'symbolon', providerVersionConstraint: '~> 0.1.0' },
    });
    this.config = config;
  }

  /** The workload's own addresses. Default: whatever the node finds, inside its prefixes. */
  get addresses(): string[] {
    return Fn.tolist(this.getListAttribute('addresses'));
  }

  /** DNS names in its X509-SVIDs. */
  get dnsNames(): string[] {
    return Fn.tolist(this.getListAttribute('dns_names'));
  }

  /** What must be proven for the workload: `all`; `inbound` = what reaches it, while its own traffic to addresses of no node is free; `off` = nothing. Default: that of the trust domain. */
  get enforcement(): string {
    return this.getStringAttribute('enforcement');
  }

  /** Foreign trust domains whose bundles the workload gets. Not supported yet: leave it out. */
  get federatesWith(): string[] {
    return Fn.tolist(this.getListAttribute('federates_with'));
  }

  /** Tells a workload with several identities which one this is (SPIFFE Workload API). */
  get hint(): string {
    return this.getStringAttribute('hint');
  }

  /** The registration entry's identifier. */
  get id(): string {
    return this.getStringAttribute('id');
  }

  /** SPIFFE ID of the node that the workload runs on, for instance `symbolon_node.east_1.spiffe_id`. */
  get parentId(): string {
    return this.getStringAttribute('parent_id');
  }

  /** What the agent must find on a process to give it this identity, all of them: `unix:uid:1001`, `unix:gid:1001`, `cgroup:path:/apps/web`. */
  get selectors(): string[] {
    return Fn.tolist(this.getListAttribute('selectors'));
  }

  /** SPIFFE ID of the workload, `spiffe://<trust domain>/<path>`; paths under `/symbolon/` are reserved. */
  get spiffeId(): string {
    return this.getStringAttribute('spiffe_id');
  }

  /** Lifetime of its X509-SVIDs, like `"1h"`. Default: that of the trust domain. */
  get x509SvidTtl(): string {
    return this.getStringAttribute('x509_svid_ttl');
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    return {
      addresses: listMapper(stringToTerraform, false)(this.config.addresses),
      dns_names: listMapper(stringToTerraform, false)(this.config.dnsNames),
      enforcement: stringToTerraform(this.config.enforcement),
      federates_with: listMapper(stringToTerraform, false)(this.config.federatesWith),
      hint: stringToTerraform(this.config.hint),
      parent_id: stringToTerraform(this.config.parentId),
      selectors: listMapper(stringToTerraform, false)(this.config.selectors),
      spiffe_id: stringToTerraform(this.config.spiffeId),
      x509_svid_ttl: stringToTerraform(this.config.x509SvidTtl),
    };
  }

  protected override synthesizeHclAttributes(): Record<string, unknown> {
    throw new Error('symbolon constructs are synthesised as JSON; leave hclOutput of the App off');
  }
}
