import type { IConstruct } from 'constructs';
import type { Authority } from './authority.ts';
import type { IParty } from './party.ts';

/** A trust domain, declared here or elsewhere. As a party it means all its workloads. */
export interface ITrustDomain extends IConstruct, IParty {
  /** Its name, `east.example`. */
  readonly trustDomainName: string;
  /** Its authority; undefined for a trust domain that this program does not write to. */
  readonly authority?: Authority;
}
