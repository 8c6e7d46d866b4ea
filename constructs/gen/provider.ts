// Made by build/bindings.js from the provider's schema. Not edited by hand.
import { hashMapper, Lazy, stringToTerraform, TerraformProvider } from 'cdktf';
import type { Construct } from 'constructs';

export interface SymbolonProviderAuthorities {
  /** The authority's address, `host:port`; needs `cert`, `key` and `bundle`. */
  readonly address?: string;
  /** The bundle that the authority must prove itself by: PEM or SPIFFE JSON, or a SPIFFE bundle map that has the trust domain; or the path of such a file. */
  readonly bundle?: string;
  /** An administrator's SVID with its chain: PEM, or the path of a PEM file. */
  readonly cert?: string;
  /** Its private key: better the path of a file than PEM, which a saved plan would hold. */
  readonly key?: string;
  /** The authority's admin socket, on the machine that Terraform runs on. */
  readonly unixSocket?: string;
}

function symbolonProviderAuthoritiesToTerraform(struct?: SymbolonProviderAuthorities): unknown {
  if (struct === undefined) return undefined;
  return {
    address: stringToTerraform(struct.address),
    bundle: stringToTerraform(struct.bundle),
    cert: stringToTerraform(struct.cert),
    key: stringToTerraform(struct.key),
    unix_socket: stringToTerraform(struct.unixSocket),
  };
}

export interface SymbolonProviderWaitForEnforcement {
  /** `warn` names the nodes that lag behind; `error` fails the apply, and a new object is then marked as tainted. Default: `warn`. */
  readonly onTimeout?: string;
  /** How long to wait. Default: `"10s"`. */
  readonly timeout?: string;
}

function symbolonProviderWaitForEnforcementToTerraform(struct?: SymbolonProviderWaitForEnforcement): unknown {
  if (struct === undefined) return undefined;
  return {
    on_timeout: stringToTerraform(struct.onTimeout),
    timeout: stringToTerraform(struct.timeout),
  };
}

export interface SymbolonProviderConfig {
  /** How to reach the authority of each trust domain. One provider block serves them all. */
  readonly authorities?: { readonly [key: string]: SymbolonProviderAuthorities };
  /** Name under which objects are created, another one for each stack: by it an apply that was interrupted finds its own objects again and takes them over. Two stacks of one owner take over each other's. Default: none; nothing is ever taken over, and an object that is there already is an error that prints the import command. */
  readonly owner?: string;
  /** After each change wait until all connected agents enforce it. Without this block nothing is waited for. */
  readonly waitForEnforcement?: SymbolonProviderWaitForEnforcement;
  /** Terraform's alias of this provider block. */
  readonly alias?: string;
}

/** Mutual authentication as code: SPIFFE trust domains, nodes, identities and auth policies, enforced by eBPF. */
export class SymbolonProvider extends TerraformProvider {
  static readonly tfResourceType = 'symbolon';
  private config: SymbolonProviderConfig;

  constructor(scope: Construct, id: string, config: SymbolonProviderConfig) {
    super(scope, id, {
      terraformResourceType: 'symbolon',
      terraformGeneratorMetadata: { providerName: 'symbolon', providerVersionConstraint: '~> 0.1.0' },
      terraformProviderSource: 'symbolon/symbolon',
    });
    this.config = config;
  }

  override get alias(): string | undefined {
    return this.config.alias;
  }

  get authorities(): { readonly [key: string]: SymbolonProviderAuthorities } | undefined {
    return this.config.authorities;
  }
  set authorities(value: { readonly [key: string]: SymbolonProviderAuthorities }) {
    this.config = { ...this.config, authorities: value };
  }

  get owner(): string | undefined {
    return this.config.owner;
  }
  set owner(value: string) {
    this.config = { ...this.config, owner: value };
  }

  get waitForEnforcement(): SymbolonProviderWaitForEnforcement | undefined {
    return this.config.waitForEnforcement;
  }
  set waitForEnforcement(value: SymbolonProviderWaitForEnforcement) {
    this.config = { ...this.config, waitForEnforcement: value };
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    return {
      alias: this.config.alias,
      authorities: Lazy.anyValue({ produce: () => hashMapper(symbolonProviderAuthoritiesToTerraform)(this.config.authorities) }),
      owner: Lazy.anyValue({ produce: () => stringToTerraform(this.config.owner) }),
      wait_for_enforcement: Lazy.anyValue({ produce: () => symbolonProviderWaitForEnforcementToTerraform(this.config.waitForEnforcement) }),
    };
  }

  protected override synthesizeHclAttributes(): Record<string, unknown> {
    throw new Error('symbolon constructs are synthesised as JSON; leave hclOutput of the App off');
  }
}
