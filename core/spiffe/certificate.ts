import { SymbolonError } from '#core/errors/error';
import type { Instant } from '#core/time/instant';
import { type DerElement, DerReader, readOnly, TAG } from './der.ts';
import { readOctetBits, readSmallInteger, readTime, readUnsigned } from './der-values.ts';
import { type Extensions, parseExtensions } from './extensions.ts';

/** An X.509 v3 certificate, parsed and not verified. Buffers are views of `der`. */
export interface Certificate extends Extensions {
  readonly der: Buffer;
  /** The signed part. */
  readonly tbs: Buffer;
  /** AlgorithmIdentifier, whole. */
  readonly signatureAlgorithm: Buffer;
  readonly signature: Buffer;
  /** Lower-case hex, without leading zero bytes. */
  readonly serialNumber: string;
  /** Names, whole; compared byte by byte. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly subjectEmpty: boolean;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** SubjectPublicKeyInfo, whole. */
  readonly publicKeyInfo: Buffer;
}

/** A certificate of an RSA key of 8192 bits has about 3 KiB. */
const MAX_CERTIFICATE_BYTES = 16_384;
/** RFC 5280 section 4.1.2.2. */
const MAX_SERIAL_BYTES = 20;
const VERSION_3 = 2;
const CONTEXT = { version: 0xa0, issuerUniqueId: 0x81, subjectUniqueId: 0x82, extensions: 0xa3 } as const;

function fail(rule: string, why: string): never {
  throw new SymbolonError('CERTIFICATE_INVALID', `the certificate ${why}`, { rule });
}

function readVersion(element: DerElement | undefined): void {
  const version = element && readSmallInteger(readOnly(element.body, element.bodyOffset, TAG.integer));
  if (version !== VERSION_3) fail('version', 'is not of X.509 version 3');
}

/** Refuses input that is larger than any certificate accepted here. Throws CERTIFICATE_INVALID. */
export function checkCertificateSize(der: Uint8Array): void {
  if (der.length > MAX_CERTIFICATE_BYTES) fail('size', `has ${der.length} bytes; at most ${MAX_CERTIFICATE_BYTES} are accepted`);
}

/** Parses a DER certificate (RFC 5280 section 4.1). Throws DER_INVALID, CERTIFICATE_INVALID. */
export function parseCertificate(der: Uint8Array): Certificate {
  checkCertificateSize(der);
  const whole = readOnly(der, 0, TAG.sequence);
  const outer = DerReader.within(whole);
  const tbsElement = outer.expect(TAG.sequence);
  const signatureAlgorithm = outer.expect(TAG.sequence).whole;
  const signature = readOctetBits(outer.expect(TAG.bitString));
  outer.end();

  const tbs = DerReader.within(tbsElement);
  readVersion(tbs.optional(CONTEXT.version));
  const serial = readUnsigned(tbs.expect(TAG.integer));
  if (serial.length > MAX_SERIAL_BYTES) fail('serial', `has a serial number of more than ${MAX_SERIAL_BYTES} bytes`);
  if (!tbs.expect(TAG.sequence).whole.equals(signatureAlgorithm)) fail('algorithm', 'names two different signature algorithms');
  const issuer = tbs.expect(TAG.sequence).whole;
  const validity = tbs.enter(TAG.sequence);
  const notBefore = readTime(validity.next());
  const notAfter = readTime(validity.next());
  validity.end();
  const subject = tbs.expect(TAG.sequence);
  const publicKeyInfo = tbs.expect(TAG.sequence).whole;
  tbs.optional(CONTEXT.issuerUniqueId);
  tbs.optional(CONTEXT.subjectUniqueId);
  const extensions = tbs.optional(CONTEXT.extensions);
  tbs.end();

  return {
    ...parseExtensions(extensions && readOnly(extensions.body, extensions.bodyOffset, TAG.sequence)),
    der: whole.whole,
    tbs: tbsElement.whole,
    signatureAlgorithm,
    signature,
    serialNumber: serial.toString('hex'),
    issuer,
    subject: subject.whole,
    subjectEmpty: subject.body.length === 0,
    notBefore,
    notAfter,
    publicKeyInfo,
  };
}
