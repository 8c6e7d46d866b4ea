import type { RegistrationEntry } from '#core/registration/entry';
import type { BundleSet } from '#core/spiffe/bundle';
import { type TrustDomain, trustDomainId, trustDomainOf } from '#core/spiffe/id';
import type { X509BundlesResponse, X509SVIDResponse } from '#proto/gen/spiffe/workload';
import type { Credential } from '../proof/contract.ts';

/** A trust domain's authorities as concatenated DER. */
function concatenated(bundles: BundleSet, trustDomain: TrustDomain): Buffer {
  return Buffer.concat((bundles.get(trustDomain)?.authorities ?? []).map(({ der }) => der));
}

/** Bundles by their trust domain's SPIFFE ID; domains without a bundle are left out. */
function byId(bundles: BundleSet, trustDomains: readonly TrustDomain[]): Record<string, Buffer> {
  const known = trustDomains.filter((trustDomain) => (bundles.get(trustDomain)?.authorities.length ?? 0) > 0);
  return Object.fromEntries(known.map((trustDomain) => [trustDomainId(trustDomain), concatenated(bundles, trustDomain)]));
}

/** The X.509 state of a workload, whole (Workload API section 5.2.1): its one SVID, its own bundle, those that the entry federates with. */
export function x509SvidResponse(entry: RegistrationEntry, { svid, privateKey }: Credential, bundles: BundleSet): X509SVIDResponse {
  return {
    svids: [
      {
        spiffeId: svid.id,
        x509Svid: Buffer.concat(svid.chain),
        x509SvidKey: privateKey.export({ format: 'der', type: 'pkcs8' }),
        bundle: concatenated(bundles, trustDomainOf(svid.id)),
        hint: entry.hint,
      },
    ],
    crl: [],
    federatedBundles: byId(bundles, entry.federatesWith),
  };
}

/** The bundles that a workload may verify its peers with: its own trust domain's and those that the entry federates with. */
export function x509BundlesResponse(entry: RegistrationEntry, bundles: BundleSet): X509BundlesResponse {
  return { crl: [], bundles: byId(bundles, [trustDomainOf(entry.spiffeId), ...entry.federatesWith]) };
}
