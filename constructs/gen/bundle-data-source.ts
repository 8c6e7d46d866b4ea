// Made by build/bindings.js from the provider's schema. Not edited by hand.
import { stringToTerraform, TerraformDataSource, TerraformMetaArguments } from 'cdktf';
import type { Construct } from 'constructs';

export interface BundleDataSourceConfig extends TerraformMetaArguments {
  /** Trust domain whose authority is asked. */
  readonly trustDomain: string;
}

/** A trust domain's bundle: the CA certificates that verify its X509-SVIDs. Public; holds no keys. */
export class BundleDataSource extends TerraformDataSource {
  static readonly tfResourceType = 'symbolon_bundle';
  private readonly config: BundleDataSourceConfig;

  constructor(scope: Construct, id: string, config: BundleDataSourceConfig) {
    super(scope, id, {
      ...config,
      terraformResourceType: 'symbolon_bundle',
      terraformGeneratorMetadata: { providerName: 'symbolon', providerVersionConstraint: '~> 0.1.0' },
    });
    this.config = config;
  }

  /** The trust domain. */
  get id(): string {
    return this.getStringAttribute('id');
  }

  /** All of them in one text. */
  get pem(): string {
    return this.getStringAttribute('pem');
  }

  /** Seconds after which the bundle should be read again; 0 if the authority does not say. */
  get refreshHint(): number {
    return this.getNumberAttribute('refresh_hint');
  }

  /** Grows with every change of the bundle. */
  get sequenceNumber(): number {
    return this.getNumberAttribute('sequence_number');
  }

  /** Trust domain whose authority is asked. */
  get trustDomain(): string {
    return this.getStringAttribute('trust_domain');
  }

  /** CA certificates of the trust domain, PEM, each in a text of its own. */
  get x509Authorities(): string[] {
    return this.getListAttribute('x509_authorities');
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    return {
      trust_domain: stringToTerraform(this.config.trustDomain),
    };
  }

  protected override synthesizeHclAttributes(): Record<string, unknown> {
    throw new Error('symbolon constructs are synthesised as JSON; leave hclOutput of the App off');
  }
}
