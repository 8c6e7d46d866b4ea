// Made by build/bindings.js from the provider's schema. Not edited by hand.
import { Fn, listMapper, stringToTerraform, TerraformMetaArguments, TerraformResource } from 'cdktf';
import type { Construct } from 'constructs';

export interface TrustDomainResourceConfig extends TerraformMetaArguments {
  /** Every node's prefixes must lie inside these. Default: no limit. */
  readonly addressPrefixes?: readonly string[];
  /** Default of the identities' `enforcement`: `all`, `inbound` or `off`. Default: `all`. */
  readonly enforcement?: string;
  /** Name of the trust domain, like `east.example`. */
  readonly name: string;
  /** Lifetime of X509-SVIDs whose identity says nothing else, like `"1h"`. Default: the authority's, one hour. */
  readonly x509SvidTtl?: string;
}

/** Settings of a trust domain. The authority that runs for it is adopted, never created: its keys are its own. Destroying the resource resets the settings and touches neither keys nor anything else. */
export class TrustDomainResource extends TerraformResource {
  static readonly tfResourceType = 'symbolon_trust_domain';
  private readonly config: TrustDomainResourceConfig;

  constructor(scope: Construct, id: string, config: TrustDomainResourceConfig) {
    super(scope, id, {
      ...config,
      terraformResourceType: 'symbolon_trust_domain',
      terraformGeneratorMetadata: { providerName: 'symbolon', providerVersionConstraint: '~> 0.1.0' },
    });
    this.config = config;
  }

  /** Every node's prefixes must lie inside these. Default: no limit. */
  get addressPrefixes(): string[] {
    return Fn.tolist(this.getListAttribute('address_prefixes'));
  }

  /** Default of the identities' `enforcement`: `all`, `inbound` or `off`. Default: `all`. */
  get enforcement(): string {
    return this.getStringAttribute('enforcement');
  }

  /** The trust domain's name. */
  get id(): string {
    return this.getStringAttribute('id');
  }

  /** Name of the trust domain, like `east.example`. */
  get name(): string {
    return this.getStringAttribute('name');
  }

  /** The SPIFFE ID of the trust domain, `spiffe://<name>`. Known at plan. */
  get spiffeId(): string {
    return this.getStringAttribute('spiffe_id');
  }

  /** Lifetime of X509-SVIDs whose identity says nothing else, like `"1h"`. Default: the authority's, one hour. */
  get x509SvidTtl(): string {
    return this.getStringAttribute('x509_svid_ttl');
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    return {
      address_prefixes: listMapper(stringToTerraform, false)(this.config.addressPrefixes),
      enforcement: stringToTerraform(this.config.enforcement),
      name: stringToTerraform(this.config.name),
      x509_svid_ttl: stringToTerraform(this.config.x509SvidTtl),
    };
  }

  protected override synthesizeHclAttributes(): Record<string, unknown> {
    throw new Error('symbolon constructs are synthesised as JSON; leave hclOutput of the App off');
  }
}
