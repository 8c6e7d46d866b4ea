import type { ITrustDomain } from './trust-domain-interface.ts';

/** The names by which a policy knows a party. */
export interface PartyMembers {
  /** @default - no workload by its ID */
  readonly spiffeIds?: string[];
  /** @default - no path prefix */
  readonly pathPrefixes?: string[];
  /** @default - no whole trust domain */
  readonly trustDomains?: string[];
}

/** What may stand at an end of a policy: a workload, all workloads below a path, a whole trust domain. */
export interface IParty {
  /** A short name, unique in the trust domain, from which names of policies are made. */
  readonly partyName: string;
  /** The trust domain that the party belongs to: its nodes enforce policies at this end. */
  readonly trustDomain: ITrustDomain;
  /** The names by which a policy knows it. */
  toMembers(): PartyMembers;
}
