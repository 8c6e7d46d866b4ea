import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { SymbolonError } from '#core/errors/error';
import { certificatesFromPem, certificatesToPem } from '#core/spiffe/pem';

/** What an end of a TLS connection proves itself with: a certificate chain (DER, leaf first) and the leaf's private key. */
export interface TlsCredential {
  readonly chain: readonly Uint8Array[];
  readonly privateKey: KeyObject;
}

/** A credential of PEM texts, as `symbolon authority admin-svid` writes them. Throws CERTIFICATE_INVALID; never shows the key. */
export function credentialFromPem(chainPem: string, keyPem: string): TlsCredential {
  return credentialOf(certificatesFromPem(chainPem), keyPem);
}

/** A chain (DER, leaf first) with its leaf's private key (PEM). Throws CERTIFICATE_INVALID, also if the two do not belong together; never shows the key. */
export function credentialOf(chain: readonly Uint8Array[], keyPem: string): TlsCredential {
  const privateKey = readPrivateKey(keyPem);
  if (!leafOf(chain).checkPrivateKey(privateKey)) {
    throw new SymbolonError(
      'CERTIFICATE_INVALID',
      'the private key is not that of the first certificate; give the key that was written together with it',
      { rule: 'private-key' },
    );
  }
  return { chain, privateKey };
}

function leafOf(chain: readonly Uint8Array[]): X509Certificate {
  try {
    return new X509Certificate(Buffer.from(chain[0] ?? []));
  } catch {
    throw new SymbolonError('CERTIFICATE_INVALID', 'the first certificate is not a readable X.509 certificate', { rule: 'der' });
  }
}

function readPrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new SymbolonError(
      'CERTIFICATE_INVALID',
      'the private key is not a readable PEM key; expected an unencrypted "BEGIN PRIVATE KEY" block',
      { rule: 'private-key' },
    );
  }
}

/** The part of node's TLS options that presents a credential. */
export function tlsIdentity(credential: TlsCredential): Pick<SecureContextOptions, 'cert' | 'key'> {
  return { cert: certificatesToPem(credential.chain), key: credential.privateKey.export({ type: 'pkcs8', format: 'pem' }) };
}
