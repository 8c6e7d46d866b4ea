import { SymbolonError } from '#core/errors/error';

/** No frame may be longer: two authenticators with long chains need 20 KiB. */
export const MAX_FRAME_BYTES = 65_536;
const HEADER_BYTES = 4;

/** A frame: 32-bit big-endian length, then the payload. */
export function encodeFrame(payload: Uint8Array): Buffer {
  if (payload.length === 0 || payload.length > MAX_FRAME_BYTES) throw new RangeError(`a frame of ${payload.length} bytes cannot be sent`);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt32BE(payload.length);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/** Cuts a byte stream into frames. Holds at most one incomplete frame. */
export class FrameDecoder {
  private chunks: Buffer[] = [];
  private held = 0;

  /** The payloads that are complete now. Throws FRAME_INVALID for an empty or too long one: the stream cannot be read any further. */
  *push(chunk: Buffer): Generator<Buffer> {
    this.chunks.push(chunk);
    this.held += chunk.length;
    let bytes: Buffer | undefined;
    while (this.held >= HEADER_BYTES) {
      const length = this.peekLength();
      if (this.held < HEADER_BYTES + length) return;
      bytes = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks, this.held);
      if (bytes === undefined) return;
      this.held -= HEADER_BYTES + length;
      const rest = bytes.subarray(HEADER_BYTES + length);
      this.chunks = rest.length > 0 ? [rest] : [];
      yield bytes.subarray(HEADER_BYTES, HEADER_BYTES + length);
    }
  }

  private peekLength(): number {
    if ((this.chunks[0]?.length ?? 0) < HEADER_BYTES) this.chunks = [Buffer.concat(this.chunks, this.held)];
    const length = this.chunks[0]?.readUInt32BE(0) ?? 0;
    if (length === 0 || length > MAX_FRAME_BYTES) {
      throw new SymbolonError('FRAME_INVALID', `a frame claims ${length} bytes; expected 1 to ${MAX_FRAME_BYTES}`, { rule: 'length' });
    }
    return length;
  }
}
