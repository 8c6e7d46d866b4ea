import { type DerElement, DerReader, readOnly, TAG } from '#core/spiffe/der';
import { readDefaultFalse, readOctetBits, readOid, readSmallInteger } from '#core/spiffe/der-values';
import type { Signed } from '#core/spiffe/public-key';
import { csrFail } from './csr-fail.ts';

/** A PKCS#10 request, parsed and not verified. Buffers are views of the input. */
export interface ParsedCsr extends Signed {
  /** SubjectPublicKeyInfo, whole. */
  readonly publicKeyInfo: Buffer;
  /** URI and DNS names that it asks for, as text that nobody has checked. */
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
}

type Names = Pick<ParsedCsr, 'uris' | 'dnsNames'>;

/** Requests have one attribute, if any, and few extensions. */
const MAX_ATTRIBUTES = 8;
const MAX_EXTENSIONS = 16;
const VERSION_1 = 0;
/** Context-specific tags: the attributes of a request, and the names that are read (RFC 5280 section 4.2.1.6). */
const CONTEXT = { attributes: 0xa0, dns: 0x82, uri: 0x86 } as const;
const SET = 0x31;
/** RFC 2985 section 5.4.2. */
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const SUBJECT_ALT_NAME = '2.5.29.17';
const NO_NAMES: Names = { uris: [], dnsNames: [] };

function readNames(value: DerElement): Names {
  const reader = DerReader.within(readOnly(value.body, value.bodyOffset, TAG.sequence));
  const names = { uris: [] as string[], dnsNames: [] as string[] };
  while (reader.more) {
    const { tag, body } = reader.next();
    if (tag === CONTEXT.uri) names.uris.push(body.toString('latin1'));
    else if (tag === CONTEXT.dns) names.dnsNames.push(body.toString('latin1'));
  }
  return names;
}

/** The names among the extensions asked for; what else is asked for is not given, and not read. */
function readExtensions(list: DerElement): Names {
  const reader = DerReader.within(list);
  let names: Names | undefined;
  for (let count = 0; reader.more; count++) {
    if (count === MAX_EXTENSIONS) csrFail('extensions', `asks for more than ${MAX_EXTENSIONS} extensions`);
    const extension = reader.enter(TAG.sequence);
    const oid = readOid(extension.expect(TAG.oid));
    readDefaultFalse(extension.optional(TAG.boolean));
    const value = extension.expect(TAG.octetString);
    extension.end();
    if (oid !== SUBJECT_ALT_NAME) continue;
    if (names) csrFail('extensions', 'has its subject alternative names twice');
    names = readNames(value);
  }
  return names ?? NO_NAMES;
}

function readAttributes(list: DerElement | undefined): Names {
  if (list === undefined) return NO_NAMES;
  const reader = DerReader.within(list);
  let names: Names | undefined;
  for (let count = 0; reader.more; count++) {
    if (count === MAX_ATTRIBUTES) csrFail('attributes', `has more than ${MAX_ATTRIBUTES} attributes`);
    const attribute = reader.enter(TAG.sequence);
    const oid = readOid(attribute.expect(TAG.oid));
    const values = attribute.expect(SET);
    attribute.end();
    if (oid !== EXTENSION_REQUEST) continue;
    if (names) csrFail('attributes', 'asks for extensions twice');
    names = readExtensions(readOnly(values.body, values.bodyOffset, TAG.sequence));
  }
  return names ?? NO_NAMES;
}

/** Parses a PKCS#10 request (RFC 2986 section 4), DER. Throws DER_INVALID, CSR_INVALID. */
export function parseCsr(der: Uint8Array): ParsedCsr {
  const outer = DerReader.within(readOnly(der, 0, TAG.sequence));
  const tbsElement = outer.expect(TAG.sequence);
  const signatureAlgorithm = outer.expect(TAG.sequence).whole;
  const signature = readOctetBits(outer.expect(TAG.bitString));
  outer.end();

  const tbs = DerReader.within(tbsElement);
  if (readSmallInteger(tbs.expect(TAG.integer)) !== VERSION_1) csrFail('der', 'is not of PKCS#10 version 1');
  tbs.expect(TAG.sequence); // the subject: whoever asks does not choose it
  const publicKeyInfo = tbs.expect(TAG.sequence).whole;
  const attributes = tbs.optional(CONTEXT.attributes);
  tbs.end();
  return { ...readAttributes(attributes), tbs: tbsElement.whole, signatureAlgorithm, signature, publicKeyInfo };
}
