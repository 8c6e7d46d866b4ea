import { type Instant, instantFromMs } from '#core/time/instant';
import { type DerElement, derFail, TAG } from './der.ts';

/** A BOOLEAN: 0x00 or 0xff (X.690 section 11.1). */
export function readBoolean(element: DerElement): boolean {
  const [value] = element.body;
  if (element.body.length !== 1 || (value !== 0x00 && value !== 0xff)) return derFail(element.offset, 'a boolean is neither 0x00 nor 0xff');
  return value === 0xff;
}

/** A `DEFAULT FALSE` BOOLEAN that may be absent: DER leaves the default out (X.690 section 11.5). */
export function readDefaultFalse(element: DerElement | undefined): boolean {
  if (element === undefined) return false;
  return readBoolean(element) || derFail(element.offset, 'a boolean that has its default value must be left out');
}

/** The minimal contents of an INTEGER that is not negative. */
export function readUnsigned(element: DerElement): Buffer {
  const { body } = element;
  const [first, second] = body;
  if (first === undefined) return derFail(element.offset, 'an integer without contents');
  if (first & 0x80) return derFail(element.offset, 'a negative integer');
  if (first === 0 && second !== undefined && !(second & 0x80)) return derFail(element.offset, 'the integer is not minimal');
  return first === 0 && body.length > 1 ? body.subarray(1) : body;
}

/** An INTEGER from 0 to 2^31-1. */
export function readSmallInteger(element: DerElement): number {
  const bytes = readUnsigned(element);
  const value = bytes.length > 4 ? Number.POSITIVE_INFINITY : bytes.readUIntBE(0, bytes.length);
  return value < 2 ** 31 ? value : derFail(element.offset, 'the integer is larger than expected');
}

/** Longer object identifiers occur in no certificate, and each byte of one costs as much as all before it. */
const MAX_OID_BYTES = 64;

/** An OBJECT IDENTIFIER in dotted form. */
export function readOid(element: DerElement): string {
  if (element.body.length > MAX_OID_BYTES) return derFail(element.offset, `an object identifier of more than ${MAX_OID_BYTES} bytes`);
  const arcs: bigint[] = [];
  let arc = 0n;
  let open = false;
  for (const byte of element.body) {
    if (!open && byte === 0x80) return derFail(element.offset, 'an object identifier is not minimal');
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    open = (byte & 0x80) !== 0;
    if (!open) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const [first] = arcs;
  if (open || first === undefined) return derFail(element.offset, 'malformed object identifier');
  const top = first < 40n ? 0n : first < 80n ? 1n : 2n;
  return [top, first - 40n * top, ...arcs.slice(1)].join('.');
}

/** A BIT STRING of whole bytes: the contents after the count of unused bits, which must be zero. */
export function readOctetBits(element: DerElement): Buffer {
  if (element.body[0] !== 0) return derFail(element.offset, 'a bit string with unused bits or without contents');
  return element.body.subarray(1);
}

/**
 * A BIT STRING of named bits as a number; the ASN.1 bit n is the value's bit n. DER drops trailing zero bits (X.690 section 11.2.2).
 */
export function readNamedBits(element: DerElement): number {
  const [unused, ...bytes] = element.body;
  const last = bytes.at(-1);
  if (unused === undefined || unused > 7 || bytes.length > 3) return derFail(element.offset, 'malformed bit string');
  if (last === undefined ? unused !== 0 : !(last & (1 << unused)) || last & ((1 << unused) - 1)) {
    return derFail(element.offset, 'the bit string is not minimal');
  }
  let value = 0;
  bytes.forEach((byte, index) => {
    for (let bit = 0; bit < 8; bit++) if (byte & (0x80 >> bit)) value |= 1 << (8 * index + bit);
  });
  return value;
}

/** A UTF8String. */
export function readUtf8(element: DerElement): string {
  const text = element.body.toString('utf8');
  return Buffer.from(text, 'utf8').equals(element.body) ? text : derFail(element.offset, 'malformed UTF-8');
}

/** A UTCTime or GeneralizedTime with seconds, in UTC (RFC 5280 section 4.1.2.5). */
export function readTime(element: DerElement): Instant {
  const text = element.body.toString('latin1');
  const pattern =
    element.tag === TAG.utcTime ? /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/ : /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;
  const match = element.tag === TAG.utcTime || element.tag === TAG.generalizedTime ? pattern.exec(text) : null;
  if (!match) return derFail(element.offset, 'not a time in UTC with seconds');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const fullYear = element.tag === TAG.generalizedTime ? year : year < 50 ? 2000 + year : 1900 + year;
  const date = new Date(0);
  date.setUTCFullYear(fullYear, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const exact =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCHours() === hour && date.getUTCSeconds() === second;
  return exact && minute < 60 ? instantFromMs(date.getTime()) : derFail(element.offset, 'a date that does not exist');
}
