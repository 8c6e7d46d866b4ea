import { readFileSync } from 'node:fs';
import { describeError, SymbolonError } from '#core/errors/error';
import { checkAdminSvid } from '#core/registration/admin-svid';
import { authoritySpiffeId } from '#core/registration/node-id';
import type { TrustDomain } from '#core/spiffe/id';
import { isBundleJson, parseBundleText } from '#core/spiffe/bundle-text';
import { certificatesFromPem } from '#core/spiffe/pem';
import { verifyX509SvidAs } from '#core/spiffe/verify-as';
import { instantFromMs } from '#core/time/instant';
import { type Dial, dialMtls, dialUnix } from '#daemon/grpc/dial';
import { credentialOf } from '#daemon/tls/credential';

/** Where an authority is reached: its admin socket, or its address with an administrator's SVID. */
export type AuthorityEndpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'mtls'; readonly address: string; readonly certificate: string; readonly key: string; readonly bundle: string };

/** The endpoint for people. */
export function describeEndpoint(endpoint: AuthorityEndpoint): string {
  return endpoint.kind === 'unix' ? `unix socket ${endpoint.path}` : endpoint.address;
}

/** A PEM text as it is, or that of the file that a path names; `from` says which. */
function pem(value: string, what: string): { readonly text: string; readonly from: string } {
  if (value.includes('-----BEGIN ') || isBundleJson(value)) return { text: value, from: '' };
  try {
    // Only what names a file that can be read is told: it is a path, and no key.
    return { text: readFileSync(value, 'utf8'), from: ` (file ${JSON.stringify(value)})` };
  } catch (error) {
    // The error itself names the path, which may be the key: only what the system calls it is told.
    const { code } = error as NodeJS.ErrnoException;
    throw new SymbolonError(
      'CONFIG_INVALID',
      `${what} is neither PEM (it has no line "-----BEGIN …") nor the path of a readable file${code === undefined ? '' : ` (${code})`}; give a PEM text or the path of a PEM file`,
      { path: what, value: '' },
    );
  }
}

/** Reads what a setting holds; whatever is wrong with it is said under the setting's name, and the file's. */
function read<T>(what: string, value: string, parse: (text: string) => T): T {
  const { text, from } = pem(value, what);
  return under(what, () => parse(text), from);
}

/** Whatever `check` throws is said under a setting's name. */
function under<T>(what: string, check: () => T, from = ''): T {
  try {
    return check();
  } catch (error) {
    throw new SymbolonError('CONFIG_INVALID', `${what}${from}: ${describeError(error)}`, { path: what, value: '' });
  }
}

/** How to connect. The server must prove to be the authority of that very trust domain, by the bundle that was given. */
export function dialAuthority(trustDomain: TrustDomain, endpoint: AuthorityEndpoint): Dial {
  if (endpoint.kind === 'unix') return dialUnix(endpoint.path);
  const at = `authorities[${JSON.stringify(trustDomain)}]`;
  const chain = read(`${at}.cert`, endpoint.certificate, certificatesFromPem);
  under(`${at}.cert`, () => checkAdminSvid(chain, trustDomain, instantFromMs(Date.now())));
  const credential = read(`${at}.key`, endpoint.key, (key) => credentialOf(chain, key));
  const bundle = read(`${at}.bundle`, endpoint.bundle, (text) => parseBundleText(text, trustDomain));
  const bundles = new Map([[trustDomain, bundle]]);
  const wanted = authoritySpiffeId(trustDomain);
  return dialMtls({
    address: endpoint.address,
    credential: () => credential,
    verifyServer: (chain) => verifyX509SvidAs(wanted, chain, bundles, instantFromMs(Date.now())),
  });
}
