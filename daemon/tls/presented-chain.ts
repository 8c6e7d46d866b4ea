import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { SymbolonError } from '#core/errors/error';
import { MAX_CHAIN_LENGTH } from '#core/spiffe/verify';

/**
 * The chain that the other end presented, DER, leaf first; empty if it presented none. Only after the handshake. A root behind the leaf is left
 * out: verification brings its own. Throws SVID_UNTRUSTED for more certificates than an SVID's path may have.
 */
export function presentedChain(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  // getPeerX509Certificate() would remove the certificates from OpenSSL's list (nodejs/node#65579). Typed as always there, but an empty object
  // where the other end sent no certificate.
  let current: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  while (current?.raw) {
    const issuer: DetailedPeerCertificate | undefined = current.issuerCertificate;
    const isSelfSigned: boolean = issuer === current;
    if (!isSelfSigned || chain.length === 0) chain.push(new Uint8Array(current.raw));
    // Each costs a verification before anything is proven.
    if (chain.length > MAX_CHAIN_LENGTH) {
      throw new SymbolonError('SVID_UNTRUSTED', `the other end presented more than ${MAX_CHAIN_LENGTH} certificates`, {
        rule: 'chain-length',
      });
    }
    current = isSelfSigned ? undefined : issuer;
  }
  return chain;
}
