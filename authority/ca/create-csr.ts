import { createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import type { SpiffeId } from '#core/spiffe/id';
import { ECDSA_P256, ECDSA_SHA256 } from './certificate-authority.ts';
import { x509 } from './webcrypto.ts';

/** A PKCS#10 request, DER, for a P-256 key, that names a SPIFFE ID and DNS names (default: none): what MintX509SVID takes. */
export async function createCsr(privateKey: KeyObject, id: SpiffeId, dnsNames: readonly string[] = []): Promise<Uint8Array> {
  const dns = dnsNames.map((value) => ({ type: 'dns' as const, value }));
  const { subtle } = webcrypto;
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys: {
      privateKey: await subtle.importKey('pkcs8', privateKey.export({ format: 'der', type: 'pkcs8' }), ECDSA_P256, false, ['sign']),
      publicKey: await subtle.importKey('spki', spki, ECDSA_P256, true, ['verify']),
    },
    signingAlgorithm: ECDSA_SHA256,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'url', value: id }, ...dns])],
  });
  return new Uint8Array(request.rawData);
}
