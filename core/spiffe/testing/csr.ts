import 'reflect-metadata';
import { createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** The public key of a PKCS#10 request, DER, after its proof of possession was checked. Throws for anything else. */
export async function publicKeyOfCsr(der: Uint8Array): Promise<KeyObject> {
  const request = new x509.Pkcs10CertificateRequest(der);
  if (!(await request.verify(webcrypto))) throw new Error('the request is not signed by its own key');
  return createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' });
}
