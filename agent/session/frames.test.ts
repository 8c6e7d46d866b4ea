import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encodeFrame, FrameDecoder, MAX_FRAME_BYTES } from './frames.ts';

test('frames come out as they went in, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 10 }),
      fc.integer({ min: 1, max: 50 }),
      (payloads, size) => {
        const stream = Buffer.concat(payloads.map(encodeFrame));
        const decoder = new FrameDecoder();
        const out: string[] = [];
        for (let at = 0; at < stream.length; at += size) {
          for (const payload of decoder.push(stream.subarray(at, at + size))) out.push(payload.toString('hex'));
        }
        expect(out).toEqual(payloads.map((p) => Buffer.from(p).toString('hex')));
      },
    ),
  );
});

test.each([
  ['no bytes', 0],
  ['a byte too many', MAX_FRAME_BYTES + 1],
  ['4 GiB', 0xffff_ffff],
])('a frame of %s is refused by its length alone', (_name, length) => {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(length);
  expect(() => [...new FrameDecoder().push(header)]).toThrow(expect.objectContaining({ code: 'FRAME_INVALID' }));
});
