import { formatBundleJson } from '#core/spiffe/bundle-format';
import { parseTrustDomain } from '#core/spiffe/id';
import { certificatesToPem } from '#core/spiffe/pem';
import { callUnary } from '#daemon/grpc/call';
import { dialUnix, openClient } from '#daemon/grpc/dial';
import { BundleService } from '#proto/gen/spire/server/bundle';

export const BUNDLE_FORMATS = ['pem', 'spiffe'] as const;
export type BundleFormat = (typeof BUNDLE_FORMATS)[number];

/** The authority's trust bundle as PEM certificates or as SPIFFE JSON. */
export async function readBundleText(adminSocket: string, format: BundleFormat): Promise<string> {
  const client = openClient(dialUnix(adminSocket));
  try {
    const bundle = await callUnary(client, BundleService.getBundle, { outputMask: undefined });
    const authorities = bundle.x509Authorities.map((authority) => ({ der: authority.asn1 }));
    if (format === 'pem') return certificatesToPem(authorities.map((authority) => authority.der));
    return formatBundleJson({
      trustDomain: parseTrustDomain(bundle.trustDomain),
      authorities,
      sequence: bundle.sequenceNumber,
      refreshHintSeconds: Number(bundle.refreshHint),
    });
  } finally {
    client.close();
  }
}
