import { TerraformStack } from 'cdktf';
import type { IConstruct } from 'constructs';
import type { Authority } from './authority.ts';
import { refuseProp } from './checks.ts';
import { SymbolonProvider } from './gen/provider.ts';
import type { TrustDomainResource } from './gen/trust-domain-resource.ts';

/** What happens if agents do not enforce a change in time. */
export enum OnTimeout {
  /** The apply goes on and names them. */
  WARN = 'warn',
  /** The apply fails. */
  ERROR = 'error',
}

/** Waiting, after each change, until all connected agents enforce it. */
export interface EnforcementWait {
  /**
   * How long to wait, like `10s`.
   * @default 10s
   */
  readonly timeout?: string;
  /** @default OnTimeout.WARN */
  readonly onTimeout?: OnTimeout;
}

export interface ProviderSettingsProps {
  /**
   * The name under which the stack creates objects: it tells an interrupted apply's own objects from others'.
   * @default - the stack's ID
   */
  readonly owner?: string;
  /** @default - nothing is waited for */
  readonly waitForEnforcement?: EnforcementWait;
}

/** The stack's one provider block. It is made when the first trust domain is declared. */
export class ProviderSettings {
  private static readonly byStack = new WeakMap<TerraformStack, ProviderSettings>();

  /** The settings of the stack that `scope` lies in. */
  static of(scope: IConstruct): ProviderSettings {
    const stack = TerraformStack.of(scope);
    const settings = ProviderSettings.byStack.get(stack) ?? new ProviderSettings(stack);
    ProviderSettings.byStack.set(stack, settings);
    return settings;
  }

  /** Changes the settings of the stack that `scope` lies in. */
  static configure(scope: IConstruct, props: ProviderSettingsProps): void {
    const { block } = ProviderSettings.of(scope);
    if (props.owner !== undefined) block.owner = props.owner;
    if (props.waitForEnforcement !== undefined) block.waitForEnforcement = props.waitForEnforcement;
  }

  private readonly block: SymbolonProvider;
  private readonly claimed = new Map<string, IConstruct>();
  private readonly settings = new Map<string, TrustDomainResource>();
  private readonly withoutRows = new Map<string, IConstruct>();

  private constructor(stack: TerraformStack) {
    this.block = new SymbolonProvider(stack, 'symbolon', { authorities: {}, owner: stack.node.id });
  }

  /** Lets the provider write to a trust domain. */
  registerAuthority(scope: IConstruct, trustDomain: string, authority: Authority): void {
    const earlier = this.withoutRows.get(trustDomain);
    if (earlier !== undefined) {
      refuseProp(
        scope,
        'trustDomain',
        trustDomain,
        `the policy ${earlier.node.path} names ${trustDomain} and has no row there, since it was made first; declare trust domains before policies`,
      );
    }
    this.block.authorities = { ...this.block.authorities, [trustDomain]: authority.toProvider() };
  }

  /** True if the stack can write to the trust domain. */
  writesTo(trustDomain: string): boolean {
    return this.block.authorities?.[trustDomain] !== undefined;
  }

  /** Notes that a policy has no row in a trust domain. */
  leaveOut(policy: IConstruct, trustDomain: string): void {
    this.withoutRows.set(trustDomain, policy);
  }

  /** Takes a policy's name, which is unique in its trust domain. */
  claimPolicyName(policy: IConstruct, trustDomain: string, name: string): void {
    const key = `policy ${trustDomain}/${name}`;
    const other = this.claimed.get(key);
    if (other !== undefined) {
      refuseProp(
        policy,
        'policyName',
        name,
        `${other.node.path} has the name ${name} in ${trustDomain} already; give one of them another policyName`,
      );
    }
    this.claimed.set(key, policy);
  }

  /** Takes what no two rows may have in common. `what` is that for people. */
  claim(construct: IConstruct, prop: string, key: string, what: string): void {
    const other = this.claimed.get(key);
    if (other !== undefined) refuseProp(construct, prop, what, `${other.node.path} is ${what} already; remove one of them`);
    this.claimed.set(key, construct);
  }

  /** Notes the row that holds a trust domain's settings. */
  settingsAre(trustDomain: string, row: TrustDomainResource): void {
    this.settings.set(trustDomain, row);
  }

  /** The row that holds a trust domain's settings; undefined if this stack declares none. */
  settingsOf(trustDomain: string): TrustDomainResource | undefined {
    return this.settings.get(trustDomain);
  }
}
