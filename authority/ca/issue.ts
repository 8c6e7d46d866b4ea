import type { KeyObject } from 'node:crypto';
import type { SpiffeId } from '#core/spiffe/id';
import { ISSUED_TO_NODE_OID } from '#core/spiffe/svid';
import { addMs, earliest, type Instant } from '#core/time/instant';
import { BACKDATE_MS, type CertificateAuthority, ECDSA_SHA256, randomSerialNumber } from './certificate-authority.ts';
import { x509 } from './webcrypto.ts';

/** All that goes into an SVID: never taken from a certification request but for the key. */
export interface SvidSpec {
  readonly id: SpiffeId;
  readonly publicKey: KeyObject;
  readonly ttlSeconds: number;
  readonly dnsNames?: readonly string[];
  /** The node that the SVID is issued to; every workload's SVID has it. */
  readonly issuedToNode?: SpiffeId;
}

export interface IssuedSvid {
  readonly id: SpiffeId;
  /** DER, leaf first, without the root. */
  readonly chain: readonly Uint8Array[];
  readonly serialNumber: string;
  readonly notAfter: Instant;
}

/** UTF8String (X.690 section 8.23) of at most 2048 bytes. */
function utf8String(text: string): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(text, 'utf8');
  const { length } = bytes;
  const header = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Uint8Array.from([0x0c, ...header, ...bytes]);
}

/** Signs an X509-SVID (X509-SVID sections 2 to 4). It begins 10 s before `at` and never outlives the CA. */
export async function issueSvid(ca: CertificateAuthority, spec: SvidSpec, at: Instant): Promise<IssuedSvid> {
  const publicKey = new x509.PublicKey(Uint8Array.from(spec.publicKey.export({ format: 'der', type: 'spki' })));
  // Certificates count whole seconds.
  const notAfter = earliest(ca.notAfter, (Math.floor(addMs(at, spec.ttlSeconds * 1000) / 1000) * 1000) as Instant);
  const names = [{ type: 'url' as const, value: spec.id }, ...(spec.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value }))];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerialNumber(),
    subject: 'O=symbolon',
    issuer: ca.certificate.subject,
    notBefore: new Date(addMs(at, -BACKDATE_MS)),
    notAfter: new Date(notAfter),
    publicKey,
    signingKey: ca.signingKey,
    signingAlgorithm: ECDSA_SHA256,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(ca.certificate),
      ...(spec.issuedToNode === undefined ? [] : [new x509.Extension(ISSUED_TO_NODE_OID, false, utf8String(spec.issuedToNode))]),
    ],
  });
  return { id: spec.id, chain: [new Uint8Array(certificate.rawData)], serialNumber: certificate.serialNumber.toLowerCase(), notAfter };
}
