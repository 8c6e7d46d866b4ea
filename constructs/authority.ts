import type { SymbolonProviderAuthorities } from './gen/provider.ts';

/** How Terraform proves itself to an authority over the network. Each is PEM, or better the path of a PEM file. */
export interface AuthorityCredentials {
  /** An administrator's SVID with its chain, as `symbolon authority admin-svid` writes it. */
  readonly cert: string;
  /** Its private key: better the path of a file than PEM, which the synthesised stack would hold. */
  readonly key: string;
  /** The CA certificates that the authority must prove itself by. */
  readonly bundle: string;
}

/** Where the authority of a trust domain is reached. It must be running; the stack never creates it. */
export class Authority {
  /** The admin socket, on the machine that Terraform runs on. */
  static unixSocket(path: string): Authority {
    return new Authority({ unixSocket: path });
  }

  /** The authority's address, `host:port`. */
  static address(address: string, credentials: AuthorityCredentials): Authority {
    return new Authority({ address, cert: credentials.cert, key: credentials.key, bundle: credentials.bundle });
  }

  private constructor(private readonly endpoint: SymbolonProviderAuthorities) {}

  /** The entry of the provider block. */
  toProvider(): SymbolonProviderAuthorities {
    return this.endpoint;
  }
}
