import { SymbolonError } from '#core/errors/error';
import type { TrustDomain } from '#core/spiffe/id';
import { AuthorityConnection } from './authority-connection.ts';
import { Claims } from './claims.ts';
import type { AuthorityEndpoint } from './endpoint.ts';

/** What to do after each change until the connected agents enforce it. */
export interface EnforcementWait {
  readonly timeoutMs: number;
  readonly onTimeout: 'warn' | 'error';
}

/** Authorities by trust domain. `undefined`: that authority's address is not known before apply. */
export type AuthorityEndpoints = ReadonlyMap<TrustDomain, AuthorityEndpoint | undefined>;

/** What the provider was configured with. Nothing is connected before it is needed. */
export class Connections {
  /** Marks what is created here, so that an interrupted create finds its own object again. Empty: nobody is named, and nothing found. */
  readonly owner: string;
  readonly enforcementWait: EnforcementWait | undefined;
  /** The objects of this plan. */
  readonly planned = new Claims();
  /** The objects that this process has created or taken over. */
  readonly created = new Claims();
  private readonly endpoints: AuthorityEndpoints | undefined;
  private readonly open = new Map<TrustDomain, AuthorityConnection>();

  /** `endpoints` undefined: the whole map is not known before apply. */
  constructor(owner: string, endpoints: AuthorityEndpoints | undefined, enforcementWait: EnforcementWait | undefined) {
    this.owner = owner;
    this.endpoints = endpoints;
    this.enforcementWait = enforcementWait;
  }

  /** True if the trust domain's authority is configured, or may turn out to be at apply. */
  mayHave(trustDomain: TrustDomain): boolean {
    return this.endpoints === undefined || this.endpoints.has(trustDomain);
  }

  /** Why there is no authority for a trust domain, for people. */
  missing(trustDomain: TrustDomain): SymbolonError {
    const known = [...(this.endpoints?.keys() ?? [])].join(', ') || 'none';
    return new SymbolonError(
      'CONFIG_INVALID',
      `the provider has no authority of the trust domain ${trustDomain} (it has: ${known}); add it to the provider's authorities or correct the trust domain`,
      { path: 'authorities', value: trustDomain },
    );
  }

  /** The trust domain's authority; undefined if its address is not known yet. Throws CONFIG_INVALID if it has none. */
  find(trustDomain: TrustDomain): AuthorityConnection | undefined {
    if (!this.mayHave(trustDomain)) throw this.missing(trustDomain);
    const endpoint = this.endpoints?.get(trustDomain);
    if (endpoint === undefined) return undefined;
    let connection = this.open.get(trustDomain);
    if (!connection) {
      connection = new AuthorityConnection(trustDomain, endpoint);
      this.open.set(trustDomain, connection);
    }
    return connection;
  }

  /** The trust domain's authority. Throws CONFIG_INVALID if it has none or it is not known yet. */
  get(trustDomain: TrustDomain): AuthorityConnection {
    const connection = this.find(trustDomain);
    if (connection) return connection;
    throw new SymbolonError(
      'CONFIG_INVALID',
      `the address of the authority of ${trustDomain} is not known before apply; apply what creates it first (terraform apply -target=…), or keep it in another stack`,
      { path: 'authorities', value: trustDomain },
    );
  }

  close(): void {
    for (const connection of this.open.values()) connection.close();
    this.open.clear();
  }
}
