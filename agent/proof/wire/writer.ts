/** Writes TLS presentation language (RFC 8446 section 3) into one buffer. */
export class Writer {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  raw(bytes: Uint8Array): this {
    this.parts.push(bytes);
    this.length += bytes.length;
    return this;
  }

  uint(value: number, length: 1 | 2 | 3 | 4): this {
    const bytes = Buffer.allocUnsafe(length);
    bytes.writeUIntBE(value, 0, length);
    return this.raw(bytes);
  }

  /** The bytes with their length before them in `lengthBytes` bytes. Throws RangeError if they are too many: a bug of the caller. */
  vector(bytes: Uint8Array, lengthBytes: 1 | 2 | 3): this {
    if (bytes.length >= 2 ** (8 * lengthBytes))
      throw new RangeError(`${bytes.length} bytes do not fit a vector of ${lengthBytes} length bytes`);
    return this.uint(bytes.length, lengthBytes).raw(bytes);
  }

  done(): Buffer {
    return Buffer.concat(this.parts, this.length);
  }
}
