import type { TLSSocket } from 'node:tls';
import { SymbolonError } from '#core/errors/error';

/** A chain longer than this is not looked at: verification costs CPU before anything is proven. */
const MAX_PRESENTED_CERTIFICATES = 4;

/** The chain that the other end presented, DER, leaf first; empty if it presented none. Only after the handshake. */
export function presentedChain(socket: TLSSocket): readonly Uint8Array[] {
  // getPeerX509Certificate() would remove the certificates from OpenSSL's list (nodejs/node#65579).
  let certificate = socket.getPeerCertificate(true);
  const chain: Buffer[] = [];
  while (certificate?.raw !== undefined && chain.length <= MAX_PRESENTED_CERTIFICATES) {
    chain.push(certificate.raw);
    if (certificate.issuerCertificate === undefined || certificate.issuerCertificate === certificate) break;
    certificate = certificate.issuerCertificate;
  }
  if (chain.length > MAX_PRESENTED_CERTIFICATES) {
    throw new SymbolonError('SVID_UNTRUSTED', `the other end presented more than ${MAX_PRESENTED_CERTIFICATES} certificates`, {
      rule: 'chain-length',
    });
  }
  return chain;
}
