import { SymbolonError } from '#core/errors/error';

/** Tags of the DER elements that certificates are made of (X.690). */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

/** One DER element. `offset` is where it starts in the outermost input, for messages. */
export interface DerElement {
  readonly tag: number;
  /** The contents, a view of the input. */
  readonly body: Buffer;
  /** Tag, length and contents, a view of the input. */
  readonly whole: Buffer;
  readonly offset: number;
  readonly bodyOffset: number;
}

/** Length octets that are read at most: contents of up to 16 MiB. */
const MAX_LENGTH_OCTETS = 3;

/** Refuses malformed DER. Throws DER_INVALID. */
export function derFail(offset: number, why: string): never {
  throw new SymbolonError('DER_INVALID', `malformed DER at byte ${offset}: ${why}`, { offset });
}

/**
 * Reads DER elements one after another. Strict: definite, minimal lengths and single-byte tags only; nothing is read past the end, and
 * `end` refuses bytes that are left over. Throws DER_INVALID.
 */
export class DerReader {
  private readonly input: Buffer;
  private readonly base: number;
  private at = 0;

  constructor(input: Uint8Array, base = 0) {
    this.input = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
    this.base = base;
  }

  /** A reader of an element's contents. */
  static within(element: DerElement): DerReader {
    return new DerReader(element.body, element.bodyOffset);
  }

  get more(): boolean {
    return this.at < this.input.length;
  }

  /** Where the next element starts in the outermost input. */
  get offset(): number {
    return this.base + this.at;
  }

  next(): DerElement {
    const start = this.at;
    const offset = this.base + start;
    const tag = this.input[start];
    const first = this.input[start + 1];
    if (tag === undefined || first === undefined) return derFail(offset, 'the input ends within an element');
    if ((tag & 0x1f) === 0x1f) return derFail(offset, 'a tag of several bytes');
    let length = first;
    let bodyAt = start + 2;
    if (first >= 0x80) {
      const octets = first & 0x7f;
      if (octets === 0) return derFail(offset, 'an indefinite length');
      if (octets > MAX_LENGTH_OCTETS || bodyAt + octets > this.input.length) return derFail(offset, 'the length is too long');
      length = this.input.readUIntBE(bodyAt, octets);
      if (length < 0x80 || length < 2 ** (8 * (octets - 1))) return derFail(offset, 'the length is not minimal');
      bodyAt += octets;
    }
    const end = bodyAt + length;
    if (end > this.input.length) return derFail(offset, 'the element is longer than its input');
    this.at = end;
    return {
      tag,
      body: this.input.subarray(bodyAt, end),
      whole: this.input.subarray(start, end),
      offset,
      bodyOffset: this.base + bodyAt,
    };
  }

  /** The next element, which must have the tag. */
  expect(tag: number): DerElement {
    const element = this.next();
    if (element.tag !== tag) return derFail(element.offset, `tag 0x${element.tag.toString(16)}, expected 0x${tag.toString(16)}`);
    return element;
  }

  /** The next element if it has the tag. */
  optional(tag: number): DerElement | undefined {
    return this.input[this.at] === tag ? this.next() : undefined;
  }

  /** A reader of the contents of the next element, which must have the tag. */
  enter(tag: number): DerReader {
    return DerReader.within(this.expect(tag));
  }

  /** Refuses bytes that are left over. */
  end(): void {
    if (this.more) derFail(this.offset, 'bytes after the last element');
  }
}

/** The only element of the input, which must have the tag and fill it. */
export function readOnly(input: Uint8Array, base: number, tag: number): DerElement {
  const reader = new DerReader(input, base);
  const element = reader.expect(tag);
  reader.end();
  return element;
}
