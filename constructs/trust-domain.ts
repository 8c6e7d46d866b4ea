import { TerraformStack } from 'cdktf';
import { Construct } from 'constructs';
import { parseIpPrefix } from '#core/network/prefix';
import { parseTrustDomain } from '#core/spiffe/id';
import type { Authority } from './authority.ts';
import { checkLifetime, checkProp, checkProps, knownText, refuseProp, sortedTexts } from './checks.ts';
import type { Enforcement } from './enforcement.ts';
import { TrustDomainResource } from './gen/trust-domain-resource.ts';
import type { PartyMembers } from './party.ts';
import { ProviderSettings } from './provider-settings.ts';
import type { ITrustDomain } from './trust-domain-interface.ts';

/** A trust domain that another stack declares, and whose authority this one may write to. */
export interface TrustDomainAttributes {
  /** Its name, `east.example`. */
  readonly trustDomain: string;
  /** Where its authority is reached. */
  readonly authority: Authority;
}

export interface TrustDomainProps {
  /** Its name, `east.example`. */
  readonly trustDomain: string;
  /** Where its authority is reached. It must be running: the trust domain's settings are adopted, its keys never touched. */
  readonly authority: Authority;
  /**
   * Prefixes that every node's prefixes must lie inside, like `10.1.0.0/16`.
   * @default - no limit
   */
  readonly addressPrefixes?: string[];
  /**
   * What must be proven for the workloads whose identity says nothing else.
   * @default Enforcement.ALL
   */
  readonly enforcement?: Enforcement;
  /**
   * Lifetime of X509-SVIDs whose identity says nothing else, like `1h`.
   * @default - the authority's, one hour
   */
  readonly x509SvidTtl?: string;
}

class ImportedTrustDomain extends Construct implements ITrustDomain {
  readonly partyName: string;
  readonly authority?: Authority;
  readonly trustDomain: ITrustDomain = this;

  constructor(
    scope: Construct,
    id: string,
    readonly trustDomainName: string,
    authority?: Authority,
  ) {
    super(scope, id);
    checkProp(this, 'trustDomain', knownText(this, 'trustDomain', trustDomainName), parseTrustDomain);
    this.partyName = trustDomainName;
    if (authority === undefined) return;
    this.authority = authority;
    ProviderSettings.of(this).registerAuthority(this, trustDomainName, authority);
  }

  toMembers(): PartyMembers {
    return { trustDomains: [this.trustDomainName] };
  }
}

/** A trust domain with its settings. Registers its authority in the stack's provider block. */
export class TrustDomain extends Construct implements ITrustDomain {
  /** A trust domain that this program does not write to: it can be named in policies. */
  static fromName(scope: Construct, id: string, trustDomain: string): ITrustDomain {
    return new ImportedTrustDomain(scope, id, trustDomain);
  }

  /** A trust domain that another stack declares: nodes, identities and policies can be added to it. */
  static fromAttributes(scope: Construct, id: string, attributes: TrustDomainAttributes): ITrustDomain {
    return new ImportedTrustDomain(scope, id, attributes.trustDomain, attributes.authority);
  }

  readonly trustDomainName: string;
  readonly authority: Authority;
  readonly partyName: string;
  readonly trustDomain: ITrustDomain = this;
  /** The row in Terraform. */
  readonly resource: TrustDomainResource;

  constructor(scope: Construct, id: string, props: TrustDomainProps) {
    super(scope, id);
    const name = knownText(this, 'trustDomain', props.trustDomain);
    checkProp(this, 'trustDomain', name, parseTrustDomain);
    checkProps(this, 'addressPrefixes', props.addressPrefixes, parseIpPrefix);
    checkLifetime(this, 'x509SvidTtl', props.x509SvidTtl);
    const settings = ProviderSettings.of(this);
    if (settings.writesTo(name))
      refuseProp(this, 'trustDomain', name, `${name} is declared in the stack ${TerraformStack.of(this).node.id} already`);
    settings.registerAuthority(this, name, props.authority);
    this.trustDomainName = name;
    this.partyName = name;
    this.authority = props.authority;
    this.resource = new TrustDomainResource(this, 'Default', {
      name,
      ...(props.addressPrefixes === undefined ? {} : { addressPrefixes: sortedTexts(props.addressPrefixes) }),
      ...(props.enforcement === undefined ? {} : { enforcement: props.enforcement }),
      ...(props.x509SvidTtl === undefined ? {} : { x509SvidTtl: props.x509SvidTtl }),
    });
    settings.settingsAre(name, this.resource);
  }

  toMembers(): PartyMembers {
    return { trustDomains: [this.trustDomainName] };
  }
}
