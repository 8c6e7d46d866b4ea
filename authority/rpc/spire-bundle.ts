import type { Handlers } from '#daemon/grpc/service';
import type { BundleService } from '#proto/gen/spire/server/bundle';
import type { ServiceContext } from './context.ts';

/** spire.api.server.bundle.v1.Bundle: the own trust domain's; no others are kept yet. */
export function spireBundleService({ ca, trustDomain }: ServiceContext): Handlers<typeof BundleService> {
  return {
    countBundles: async () => ({ count: 1 }),
    getBundle: async (request) => {
      const shows = (field: 'x509Authorities' | 'refreshHint' | 'sequenceNumber'): boolean => request.outputMask?.[field] ?? true;
      return {
        trustDomain,
        x509Authorities: shows('x509Authorities')
          ? ca.bundle.authorities.map(({ der }) => ({ asn1: Buffer.from(der), tainted: false }))
          : [],
        jwtAuthorities: [],
        refreshHint: shows('refreshHint') ? BigInt(ca.bundle.refreshHintSeconds ?? 0) : 0n,
        sequenceNumber: shows('sequenceNumber') ? ca.bundle.sequence : 0n,
      };
    },
  };
}
