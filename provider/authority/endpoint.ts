import { readFileSync } from 'node:fs';
import { SymbolonError } from '#core/errors/error';
import { authoritySpiffeId } from '#core/registration/node-id';
import type { TrustDomain } from '#core/spiffe/id';
import { verifyX509Svid } from '#core/spiffe/verify';
import { instantFromMs } from '#core/time/instant';
import { certificatesFromPem, credentialFromPem } from '#daemon/grpc/credential';
import { type Dial, dialMtls, dialUnix } from '#daemon/grpc/dial';

/** Where an authority is reached: its admin socket, or its address with an administrator's SVID. */
export type AuthorityEndpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'mtls'; readonly address: string; readonly certificate: string; readonly key: string; readonly bundle: string };

/** The endpoint for people. */
export function describeEndpoint(endpoint: AuthorityEndpoint): string {
  return endpoint.kind === 'unix' ? `unix socket ${endpoint.path}` : endpoint.address;
}

/** A PEM text as it is, or the file that a path names. */
function pem(value: string, what: string): string {
  if (value.includes('-----BEGIN ')) return value;
  try {
    return readFileSync(value, 'utf8');
  } catch (error) {
    throw new SymbolonError('CONFIG_INVALID', `${what} is neither PEM nor a readable file`, { path: what, value: '' }, error);
  }
}

/** How to connect. The server must prove to be the authority of that very trust domain, by the bundle that was given. */
export function dialAuthority(trustDomain: TrustDomain, endpoint: AuthorityEndpoint): Dial {
  if (endpoint.kind === 'unix') return dialUnix(endpoint.path);
  const at = `authorities[${JSON.stringify(trustDomain)}]`;
  const credential = credentialFromPem(pem(endpoint.certificate, `${at}.cert`), pem(endpoint.key, `${at}.key`));
  const authorities = certificatesFromPem(pem(endpoint.bundle, `${at}.bundle`)).map((der) => ({ der }));
  const bundles = new Map([[trustDomain, { trustDomain, authorities, sequence: 0n }]]);
  const wanted = authoritySpiffeId(trustDomain);
  return dialMtls({
    address: endpoint.address,
    credential: () => credential,
    verifyServer: (chain) => {
      const { id } = verifyX509Svid(chain, bundles, instantFromMs(Date.now()));
      if (id !== wanted) {
        throw new SymbolonError('SVID_UNTRUSTED', `${endpoint.address} proved to be ${id}; expected ${wanted}`, {
          rule: 'server-id',
          spiffeId: id,
        });
      }
    },
  });
}
