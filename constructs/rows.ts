import { type TerraformResource, TerraformStack } from 'cdktf';
import type { IConstruct } from 'constructs';
import { refuseProp } from './checks.ts';
import { ProviderSettings } from './provider-settings.ts';
import type { ITrustDomain } from './trust-domain-interface.ts';

/** True if the stack of `scope` can hold rows of the trust domain. Takes over the authority of one that another stack of the program declares. */
export function canWriteTo(scope: IConstruct, trustDomain: ITrustDomain): boolean {
  const settings = ProviderSettings.of(scope);
  if (settings.writesTo(trustDomain.trustDomainName)) return true;
  if (trustDomain.authority === undefined) return false;
  settings.registerAuthority(scope, trustDomain.trustDomainName, trustDomain.authority);
  return true;
}

/** Refuses a construct whose row would lie in a trust domain that nothing here can write to. */
export function requireWritable(scope: IConstruct, prop: string, trustDomain: ITrustDomain): void {
  if (canWriteTo(scope, trustDomain)) return;
  const name = trustDomain.trustDomainName;
  refuseProp(
    scope,
    prop,
    name,
    `no authority of ${name} is known here; declare it with TrustDomain, or take it from TrustDomain.fromAttributes`,
  );
}

/** The meta-argument that makes a row wait for those it rests on. Rows of other stacks are not waited for: Terraform knows nothing of them. */
export function waitFor(
  scope: IConstruct,
  ...rows: readonly (TerraformResource | undefined)[]
): { readonly dependsOn?: TerraformResource[] } {
  const own = rows.filter((row): row is TerraformResource => row !== undefined && TerraformStack.of(row) === TerraformStack.of(scope));
  return own.length === 0 ? {} : { dependsOn: own };
}
