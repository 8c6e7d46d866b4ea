import { parseSpiffeId } from '#core/spiffe/id';
import { refuseProp } from './checks.ts';
import type { IParty, PartyMembers } from './party.ts';
import type { ITrustDomain } from './trust-domain-interface.ts';

/** All workloads of a trust domain whose ID's path begins with all the segments of a path: `/shop` means `/shop` and `/shop/web`, not `/shopping`. */
export class PathPrefix implements IParty {
  /** `path` with its leading slash. */
  static of(trustDomain: ITrustDomain, path: string): PathPrefix {
    return new PathPrefix(trustDomain, path);
  }

  readonly partyName: string;
  private readonly prefix: string;

  private constructor(
    readonly trustDomain: ITrustDomain,
    path: string,
  ) {
    this.prefix = `spiffe://${trustDomain.trustDomainName}${path}`;
    if (!path.startsWith('/')) refuseProp(trustDomain, 'path', path, `${JSON.stringify(path)} must begin with a slash`);
    parseSpiffeId(this.prefix);
    this.partyName = `${path.slice(1).replaceAll('/', '.')}.any`;
  }

  toMembers(): PartyMembers {
    return { pathPrefixes: [this.prefix] };
  }
}
