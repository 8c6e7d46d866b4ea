import { parseTrustDomain } from '#core/spiffe/id';
import { certificatesToPem } from '#core/spiffe/pem';
import { BundleService } from '#proto/gen/spire/server/bundle';
import { TRUST_DOMAIN } from '../attributes/trust-domain.ts';
import type { Connections } from '../authority/connections.ts';
import type { DataSource } from '../plugin/resource.ts';
import { attribute } from '../plugin/schema/attribute.ts';

const attributes = {
  id: attribute.string({ computed: true, description: 'The trust domain.' }),
  trust_domain: attribute.string({ required: true, rule: TRUST_DOMAIN, description: 'Trust domain whose authority is asked.' }),
  x509_authorities: attribute.texts({
    computed: true,
    ordered: true,
    description: 'CA certificates of the trust domain, PEM, each in a text of its own.',
  }),
  pem: attribute.string({ computed: true, description: 'All of them in one text.' }),
  sequence_number: attribute.number({ computed: true, description: 'Grows with every change of the bundle.' }),
  refresh_hint: attribute.number({
    computed: true,
    description: 'Seconds after which the bundle should be read again; 0 if the authority does not say.',
  }),
} as const;

/** The public keys by which a trust domain's SVIDs are verified. */
export const bundleDataSource: DataSource<typeof attributes, Connections> = {
  typeName: 'symbolon_bundle',
  description: "A trust domain's bundle: the CA certificates that verify its X509-SVIDs. Public; holds no keys.",
  attributes,
  async read({ trust_domain }, { connection, signal }) {
    const authority = connection.get(parseTrustDomain(trust_domain));
    const bundle = await authority.list('bundle', () => authority.read(BundleService.getBundle, { outputMask: undefined }, signal));
    const authorities = bundle.x509Authorities.map((certificate) => certificatesToPem([certificate.asn1]));
    return {
      id: trust_domain,
      trust_domain,
      x509_authorities: authorities,
      pem: authorities.join(''),
      sequence_number: bundle.sequenceNumber,
      refresh_hint: bundle.refreshHint,
    };
  },
};
