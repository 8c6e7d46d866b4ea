import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { describeError, SymbolonError } from '#core/errors/error';
import { parseAuthority } from '#core/spiffe/authority';
import type { X509Bundle } from '#core/spiffe/bundle';
import { type TrustDomain, trustDomainId } from '#core/spiffe/id';
import { certificatesFromPem, certificatesToPem } from '#core/spiffe/pem';
import { addMs, type Instant } from '#core/time/instant';
import { writePrivateFile } from '#daemon/unix/private-file';
import { x509 } from './webcrypto.ts';

type CryptoKey = webcrypto.CryptoKey;

/** The CA does not rotate yet; it is made to outlive that. */
const CA_LIFETIME_MS = 10 * 365 * 24 * 3600 * 1000;
/** Clocks differ: certificates begin this much earlier (SPIRE's value). */
export const BACKDATE_MS = 10_000;
const REFRESH_HINT_SECONDS = 300;

export const ECDSA_P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
export const ECDSA_SHA256 = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** The signing key of a trust domain and its certificate. The key leaves this process only into its own file. */
export interface CertificateAuthority {
  readonly trustDomain: TrustDomain;
  readonly certificate: x509.X509Certificate;
  readonly notAfter: Instant;
  /** Not extractable. */
  readonly signingKey: CryptoKey;
  /** Without a sequence (0): the store gives it one. */
  readonly bundle: X509Bundle;
}

/** A positive serial number of 127 random bits (RFC 5280 section 4.1.2.2), hex. */
export function randomSerialNumber(): string {
  const bytes = randomBytes(16);
  // First bit 0: positive. Second bit 1: no leading zeros that another encoder would drop.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

async function selfSign(trustDomain: TrustDomain, privateKey: KeyObject, at: Instant): Promise<Uint8Array> {
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const publicKey = new x509.PublicKey(Uint8Array.from(spki));
  const name = `O=symbolon,CN=${trustDomain}`;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerialNumber(),
    subject: name,
    issuer: name,
    notBefore: new Date(addMs(at, -BACKDATE_MS)),
    notAfter: new Date(addMs(at, CA_LIFETIME_MS)),
    publicKey,
    signingKey: await importSigningKey(privateKey),
    signingAlgorithm: ECDSA_SHA256,
    extensions: [
      // Path length 0: it signs SVIDs only.
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: trustDomainId(trustDomain) }]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return new Uint8Array(certificate.rawData);
}

function importSigningKey(privateKey: KeyObject): Promise<CryptoKey> {
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
  return webcrypto.subtle.importKey('pkcs8', pkcs8, ECDSA_P256, false, ['sign']);
}

async function newPrivateKey(): Promise<KeyObject> {
  const pair = await webcrypto.subtle.generateKey(ECDSA_P256, true, ['sign', 'verify']);
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', pair.privateKey);
  return createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
}

function fail(path: string, why: string, cause?: unknown): never {
  throw new SymbolonError('CONFIG_INVALID', `the CA in ${path} ${why}`, { path: 'data', value: path }, cause);
}

/**
 * Opens the CA of a trust domain, or makes it: P-256, self-signed for 10 years. Key and certificate are one file (0600), so that a crash never
 * leaves one without the other. Throws CONFIG_INVALID if the file is of another trust domain, damaged or expired.
 */
export async function openCertificateAuthority(path: string, trustDomain: TrustDomain, at: Instant): Promise<CertificateAuthority> {
  if (!existsSync(path)) {
    const key = await newPrivateKey();
    const pem = certificatesToPem([await selfSign(trustDomain, key, at)]);
    writePrivateFile(path, `${pem}${key.export({ format: 'pem', type: 'pkcs8' }).toString()}`);
  }
  const { der, privateKey } = readCa(path);
  try {
    parseAuthority(der, trustDomain);
  } catch (error) {
    fail(path, `is not one of the trust domain ${trustDomain}: ${describeError(error)}`, error);
  }
  const certificate = new x509.X509Certificate(der);
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  if (!publicKey.equals(Buffer.from(certificate.publicKey.rawData))) fail(path, 'has a key that is not its certificate’s');
  if (certificate.notAfter.getTime() <= at) fail(path, `ended at ${certificate.notAfter.toISOString()}`);
  return {
    trustDomain,
    certificate,
    notAfter: certificate.notAfter.getTime() as Instant,
    signingKey: await importSigningKey(privateKey),
    bundle: { trustDomain, authorities: [{ der }], sequence: 0n, refreshHintSeconds: REFRESH_HINT_SECONDS },
  };
}

function readCa(path: string): { der: Uint8Array<ArrayBuffer>; privateKey: KeyObject } {
  const pem = readFileSync(path, 'utf8');
  try {
    return { der: Uint8Array.from(certificatesFromPem(pem)[0] ?? []), privateKey: createPrivateKey(pem) };
  } catch (error) {
    // The cause could show parts of the file.
    return fail(path, `cannot be read (${error instanceof Error ? error.name : 'damaged'}); restore it from a backup`);
  }
}
