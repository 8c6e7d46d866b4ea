// What `symbolon/constructs` exports: the one list of the library's public names.
export { Action } from './action.ts';
export { type AllowFromOptions, AuthPolicy, type AuthPolicyProps } from './auth-policy.ts';
export { Authority, type AuthorityCredentials } from './authority.ts';
export { Enforcement } from './enforcement.ts';
export { type IPlacement, Node, type NodeProps } from './node.ts';
export type { IParty, PartyMembers } from './party.ts';
export { PathPrefix } from './path-prefix.ts';
export { Port } from './port.ts';
export { type EnforcementWait, OnTimeout, ProviderSettings, type ProviderSettingsProps } from './provider-settings.ts';
export { Selector } from './selector.ts';
export { Side } from './side.ts';
export { TrustDomain, type TrustDomainAttributes, type TrustDomainProps } from './trust-domain.ts';
export type { ITrustDomain } from './trust-domain-interface.ts';
export { type IWorkloadIdentity, WorkloadIdentity, type WorkloadIdentityProps } from './workload-identity.ts';
// The provider's own resources, for what the library does not say.
export { AuthPolicyResource, type AuthPolicyResourceConfig } from './gen/auth-policy-resource.ts';
export { BundleDataSource, type BundleDataSourceConfig } from './gen/bundle-data-source.ts';
export { IdentityResource, type IdentityResourceConfig } from './gen/identity-resource.ts';
export { NodeResource, type NodeResourceConfig } from './gen/node-resource.ts';
export { SymbolonProvider, type SymbolonProviderConfig } from './gen/provider.ts';
export { TrustDomainResource, type TrustDomainResourceConfig } from './gen/trust-domain-resource.ts';
