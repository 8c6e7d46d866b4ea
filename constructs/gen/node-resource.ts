// Made by build/bindings.js from the provider's schema. Not edited by hand.
import { booleanToTerraform, Fn, IResolvable, listMapper, stringToTerraform, TerraformMetaArguments, TerraformResource } from 'cdktf';
import type { Construct } from 'constructs';

export interface NodeResourceAttestation {
  /** The node may join with a one-time token. */
  readonly joinToken: boolean | IResolvable;
}

function nodeResourceAttestationToTerraform(struct?: NodeResourceAttestation): unknown {
  if (struct === undefined) return undefined;
  return {
    join_token: booleanToTerraform(struct.joinToken),
  };
}

export interface NodeResourceConfig extends TerraformMetaArguments {
  /** Prefixes whose addresses the node may speak for: those of its workloads. No other node may have one that overlaps. */
  readonly addressPrefixes: readonly string[];
  /** How the node may prove itself when it joins. Default: `{ join_token = true }`. */
  readonly attestation?: NodeResourceAttestation;
  /** Where other nodes' agents reach this node's: `192.0.2.7:7420` or `[2001:db8::7]:7420`. Without it its workloads and those of other nodes cannot authenticate to each other. */
  readonly endpoint?: string;
  /** Name of the node, unique in the trust domain: 1 to 63 letters, digits, dots, dashes or underscores. */
  readonly name: string;
  /** Trust domain that the node belongs to. */
  readonly trustDomain: string;
}

/** A machine whose agent authenticates the workloads on it. The agent joins by itself, with a token that is minted at the authority; destroying the node evicts it. */
export class NodeResource extends TerraformResource {
  static readonly tfResourceType = 'symbolon_node';
  private readonly config: NodeResourceConfig;

  constructor(scope: Construct, id: string, config: NodeResourceConfig) {
    super(scope, id, {
      ...config,
      terraformResourceType: 'symbolon_node',
      terraformGeneratorMetadata: { providerName: 'symbolon', providerVersionConstraint: '~> 0.1.0' },
    });
    this.config = config;
  }

  /** Prefixes whose addresses the node may speak for: those of its workloads. No other node may have one that overlaps. */
  get addressPrefixes(): string[] {
    return Fn.tolist(this.getListAttribute('address_prefixes'));
  }

  /** Where other nodes' agents reach this node's: `192.0.2.7:7420` or `[2001:db8::7]:7420`. Without it its workloads and those of other nodes cannot authenticate to each other. */
  get endpoint(): string {
    return this.getStringAttribute('endpoint');
  }

  /** The authority's identifier of the node. */
  get id(): string {
    return this.getStringAttribute('id');
  }

  /** Name of the node, unique in the trust domain: 1 to 63 letters, digits, dots, dashes or underscores. */
  get name(): string {
    return this.getStringAttribute('name');
  }

  /** The node's SPIFFE ID, `spiffe://<trust domain>/symbolon/node/<name>`. Known at plan; the `parent_id` of identities on the node. */
  get spiffeId(): string {
    return this.getStringAttribute('spiffe_id');
  }

  /** Trust domain that the node belongs to. */
  get trustDomain(): string {
    return this.getStringAttribute('trust_domain');
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    return {
      address_prefixes: listMapper(stringToTerraform, false)(this.config.addressPrefixes),
      attestation: nodeResourceAttestationToTerraform(this.config.attestation),
      endpoint: stringToTerraform(this.config.endpoint),
      name: stringToTerraform(this.config.name),
      trust_domain: stringToTerraform(this.config.trustDomain),
    };
  }

  protected override synthesizeHclAttributes(): Record<string, unknown> {
    throw new Error('symbolon constructs are synthesised as JSON; leave hclOutput of the App off');
  }
}
