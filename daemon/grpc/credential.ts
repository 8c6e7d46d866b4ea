import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import { SymbolonError } from '#core/errors/error';

/** What an end of a TLS connection proves itself with: a certificate chain (DER, leaf first) and the leaf's private key. */
export interface TlsCredential {
  readonly chain: readonly Uint8Array[];
  readonly privateKey: KeyObject;
}

/** DER certificates as PEM, in order (RFC 7468). */
export function certificatesToPem(chain: readonly Uint8Array[]): string {
  return chain
    .map((der) => {
      const lines = Buffer.from(der)
        .toString('base64')
        .replace(/.{64}(?=.)/g, '$&\n');
      return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
    })
    .join('');
}

/** The certificates of a PEM text, DER, in order; text between them is ignored. Throws CERTIFICATE_INVALID if there is none. */
export function certificatesFromPem(pem: string): readonly Uint8Array[] {
  const blocks = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g)];
  if (blocks.length === 0) {
    throw new SymbolonError('CERTIFICATE_INVALID', 'the text holds no PEM certificate; expected a "BEGIN CERTIFICATE" block', {
      rule: 'pem',
    });
  }
  return blocks.map((block) => Buffer.from(block[1] ?? '', 'base64'));
}

/** A credential of PEM texts, as `symbolon authority admin-svid` writes them. Throws CERTIFICATE_INVALID; never shows the key. */
export function credentialFromPem(chainPem: string, keyPem: string): TlsCredential {
  const chain = certificatesFromPem(chainPem);
  try {
    return { chain, privateKey: createPrivateKey(keyPem) };
  } catch {
    throw new SymbolonError(
      'CERTIFICATE_INVALID',
      'the private key is not a readable PEM key; expected an unencrypted "BEGIN PRIVATE KEY" block',
      {
        rule: 'private-key',
      },
    );
  }
}

/** The part of node's TLS options that presents a credential. */
export function tlsIdentity(credential: TlsCredential): Pick<SecureContextOptions, 'cert' | 'key'> {
  return { cert: certificatesToPem(credential.chain), key: credential.privateKey.export({ type: 'pkcs8', format: 'pem' }) };
}

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
