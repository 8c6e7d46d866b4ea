import { SymbolonError } from '#core/errors/error';

/** Reads TLS presentation language (RFC 8446 section 3): big-endian integers, length-prefixed vectors. Throws AUTHENTICATOR_INVALID. */
export class Reader {
  private offset = 0;
  private readonly bytes: Buffer;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  get position(): number {
    return this.offset;
  }

  private take(length: number): number {
    const at = this.offset;
    if (this.bytes.length - at < length) {
      throw new SymbolonError('AUTHENTICATOR_INVALID', `a message ends ${length - this.remaining} bytes early; expected ${length} more`, {
        rule: 'truncated',
      });
    }
    this.offset = at + length;
    return at;
  }

  uint(length: 1 | 2 | 3 | 4): number {
    return this.bytes.readUIntBE(this.take(length), length);
  }

  raw(length: number): Buffer {
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }

  /** A vector whose length stands before it in `lengthBytes` bytes. */
  vector(lengthBytes: 1 | 2 | 3): Buffer {
    return this.raw(this.uint(lengthBytes));
  }

  /** What was read between two positions. */
  between(from: number, to: number): Buffer {
    return this.bytes.subarray(from, to);
  }

  /** Nothing may follow. */
  end(): void {
    if (this.remaining > 0) {
      throw new SymbolonError('AUTHENTICATOR_INVALID', `${this.remaining} bytes follow the end of a message`, { rule: 'trailing-bytes' });
    }
  }
}
