import { SymbolonError } from '#core/errors/error';
import { type DerElement, DerReader, readOnly, TAG } from './der.ts';
import { readDefaultFalse, readNamedBits, readOid, readSmallInteger, readUtf8 } from './der-values.ts';
import { ISSUED_TO_NODE_OID } from './svid.ts';

/** GeneralName tags (RFC 5280 section 4.2.1.6), context class, without the constructed bit. */
export const GENERAL_NAME = { rfc822: 1, dns: 2, directory: 4, uri: 6, ip: 7 } as const;

/**
 * Whole tags by kind. DER knows one form for each: otherName, x400Address, directoryName (explicit, a CHOICE) and ediPartyName are constructed,
 * strings, addresses and registeredID are not.
 */
const NAME_TAGS: readonly number[] = [0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88];

/** Bits of keyUsage (RFC 5280 section 4.2.1.3). */
export const KEY_USAGE = { digitalSignature: 1 << 0, keyCertSign: 1 << 5, crlSign: 1 << 6 } as const;

/** URI subtrees are understood; of others only the kinds are known, as a bit set of GeneralName tags. */
export interface NameConstraints {
  readonly permittedUris: readonly string[];
  readonly excludedUris: readonly string[];
  readonly otherKinds: number;
}

/** What the extensions of a certificate say. */
export interface Extensions {
  readonly basicConstraints?: { readonly isCa: boolean; readonly maxPathLength?: number };
  readonly keyUsage?: { readonly bits: number; readonly critical: boolean };
  /** Dotted object identifiers. */
  readonly extendedKeyUsage?: readonly string[];
  readonly subjectAltName?: {
    readonly critical: boolean;
    readonly uris: readonly string[];
    /** Bit set of the GeneralName tags of names that are no URIs. */
    readonly otherKinds: number;
  };
  readonly subjectKeyId?: Buffer;
  readonly authorityKeyId?: Buffer;
  readonly nameConstraints?: NameConstraints;
  /** The text of our private extension (ISSUED_TO_NODE_OID), not parsed. */
  readonly issuedToNode?: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
/** Reads one extension's value. `base` is the value's offset in the certificate. */
type ExtensionReader = (out: Mutable<Extensions>, value: Buffer, base: number, critical: boolean) => void;

const MAX_EXTENSIONS = 64;

function fail(rule: string, why: string): never {
  throw new SymbolonError('CERTIFICATE_INVALID', `the certificate ${why}`, { rule });
}

function readUri(name: DerElement): string {
  if (name.body.length === 0 || name.body.some((c) => c < 0x21 || c > 0x7e)) fail('uri', 'has a URI name that is not printable ASCII');
  return name.body.toString('latin1');
}

/** A form that is not the kind's own is refused: another reader may take a URI in it for one that we have not counted. */
const nameKind = (name: DerElement): number => {
  const kind = NAME_TAGS.indexOf(name.tag);
  if (kind < 0) fail('general-name', `has a name of unknown kind 0x${name.tag.toString(16)}`);
  return kind;
};

const readBasicConstraints: ExtensionReader = (out, value, base) => {
  const reader = DerReader.within(readOnly(value, base, TAG.sequence));
  const isCa = readDefaultFalse(reader.optional(TAG.boolean));
  const length = reader.optional(TAG.integer);
  reader.end();
  if (length && !isCa) fail('basic-constraints', 'limits its path length without being a CA');
  out.basicConstraints = { isCa, ...(length && { maxPathLength: readSmallInteger(length) }) };
};

const readExtendedKeyUsage: ExtensionReader = (out, value, base) => {
  const reader = DerReader.within(readOnly(value, base, TAG.sequence));
  const usages: string[] = [];
  while (reader.more) usages.push(readOid(reader.expect(TAG.oid)));
  if (usages.length === 0) fail('extended-key-usage', 'has an empty extended key usage');
  out.extendedKeyUsage = usages;
};

const readSubjectAltName: ExtensionReader = (out, value, base, critical) => {
  const reader = DerReader.within(readOnly(value, base, TAG.sequence));
  if (!reader.more) fail('subject-alt-name', 'has an empty list of subject alternative names');
  const uris: string[] = [];
  let otherKinds = 0;
  while (reader.more) {
    const name = reader.next();
    const kind = nameKind(name);
    if (kind === GENERAL_NAME.uri) uris.push(readUri(name));
    else otherKinds |= 1 << kind;
  }
  out.subjectAltName = { critical, uris, otherKinds };
};

const readAuthorityKeyId: ExtensionReader = (out, value, base) => {
  const reader = DerReader.within(readOnly(value, base, TAG.sequence));
  const keyId = reader.optional(0x80);
  while (reader.more) reader.next();
  if (keyId) out.authorityKeyId = keyId.body;
};

const readNameConstraints: ExtensionReader = (out, value, base) => {
  const reader = DerReader.within(readOnly(value, base, TAG.sequence));
  let otherKinds = 0;
  const subtrees = (tag: number): string[] => {
    const list = reader.optional(tag);
    const uris: string[] = [];
    if (!list) return uris;
    const trees = DerReader.within(list);
    while (trees.more) {
      const tree = trees.enter(TAG.sequence);
      const name = tree.next();
      tree.end(); // minimum and maximum must be absent (RFC 5280 section 4.2.1.10)
      const kind = nameKind(name);
      if (kind === GENERAL_NAME.uri) uris.push(name.body.toString('latin1').toLowerCase());
      else otherKinds |= 1 << kind;
    }
    return uris;
  };
  const permittedUris = subtrees(0xa0);
  const excludedUris = subtrees(0xa1);
  reader.end();
  out.nameConstraints = { permittedUris, excludedUris, otherKinds };
};

const READERS: Readonly<Record<string, ExtensionReader>> = {
  '2.5.29.14': (out, value, base) => {
    out.subjectKeyId = readOnly(value, base, TAG.octetString).body;
  },
  '2.5.29.15': (out, value, base, critical) => {
    out.keyUsage = { bits: readNamedBits(readOnly(value, base, TAG.bitString)), critical };
  },
  '2.5.29.17': readSubjectAltName,
  '2.5.29.19': readBasicConstraints,
  '2.5.29.30': readNameConstraints,
  '2.5.29.35': readAuthorityKeyId,
  '2.5.29.37': readExtendedKeyUsage,
  [ISSUED_TO_NODE_OID]: (out, value, base) => {
    out.issuedToNode = readUtf8(readOnly(value, base, TAG.utf8String));
  },
};

/**
 * Reads a certificate's list of extensions. One that occurs twice, and one that is critical and not understood, is refused
 * (RFC 5280 section 4.2). Throws DER_INVALID, CERTIFICATE_INVALID.
 */
export function parseExtensions(list: DerElement | undefined): Extensions {
  const out: Mutable<Extensions> = {};
  if (list === undefined) return out;
  const reader = DerReader.within(list);
  const seen = new Set<string>();
  while (reader.more) {
    const extension = reader.enter(TAG.sequence);
    const oid = readOid(extension.expect(TAG.oid));
    const critical = readDefaultFalse(extension.optional(TAG.boolean));
    const value = extension.expect(TAG.octetString);
    extension.end();
    if (seen.has(oid)) fail('extension-repeated', `has the extension ${oid} twice`);
    if (seen.add(oid).size > MAX_EXTENSIONS) fail('extensions', `has more than ${MAX_EXTENSIONS} extensions`);
    const read = READERS[oid];
    if (read) read(out, value.body, value.bodyOffset, critical);
    else if (critical) fail('extension-unknown', `has the critical extension ${oid}, which is not understood`);
  }
  return out;
}
