import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

/** More certificates than any SVID path that we accept has. */
const MAX_CERTIFICATES = 8;

/**
 * The chain that the peer presented, leaf first, DER. Not by getPeerX509Certificate(): that call removes the certificates it returns from
 * OpenSSL's list, so that a second look finds none.
 */
export function peerChainOf(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  // Typed as always there, but an empty object where the peer sent no certificate.
  let current: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  while (current?.raw && chain.length < MAX_CERTIFICATES) {
    const issuer: DetailedPeerCertificate | undefined = current.issuerCertificate;
    const selfSigned: boolean = issuer === current;
    // A root says nothing here: verification brings its own.
    if (!selfSigned || chain.length === 0) chain.push(new Uint8Array(current.raw));
    current = selfSigned ? undefined : issuer;
  }
  return chain;
}
