import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseHeldFrame } from './frame.ts';
import { makeFrame } from './testing/frames.ts';

const V6 = { source: 'fd01::2', destination: 'fd02::2' };

function changed(frame: Buffer, offset: number, byte: number): Buffer {
  frame.writeUInt8(byte, offset);
  return frame;
}

describe('parseHeldFrame', () => {
  test.each([
    ['TCP', makeFrame(), 6, 8443, '10.1.0.2', '10.2.0.2'],
    ['UDP', makeFrame({ protocol: 17, port: 5353 }), 17, 5353, '10.1.0.2', '10.2.0.2'],
    ['echo', makeFrame({ protocol: 1 }), 1, 0, '10.1.0.2', '10.2.0.2'],
    ['TCP over IPv6', makeFrame(V6), 6, 8443, 'fd01::2', 'fd02::2'],
    ['echo over IPv6', makeFrame({ ...V6, protocol: 58 }), 58, 0, 'fd01::2', 'fd02::2'],
    ['SCTP, whose ports are not looked at', makeFrame({ protocol: 132 }), 132, 0, '10.1.0.2', '10.2.0.2'],
  ])('reads %s', (_, frame, protocol, servicePort, source, destination) => {
    const held = parseHeldFrame(frame);
    expect(held).toMatchObject({ endpoint: 7, protocol, servicePort });
    expect([held?.source().text, held?.destination().text]).toEqual([source, destination]);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['an Ethernet header alone', makeFrame().subarray(0, 14)],
    ['an IPv4 header cut off', makeFrame().subarray(0, 33)],
    ['ports cut off', makeFrame().subarray(0, 37)],
    ['an IPv6 header cut off', makeFrame(V6).subarray(0, 53)],
    ['IPv6 ports cut off', makeFrame(V6).subarray(0, 57)],
    ['another ethertype', changed(makeFrame(), 13, 6)],
    ['IPv4 options', changed(makeFrame(), 14, 0x46)],
    ['a first fragment', changed(makeFrame(), 20, 0x20)],
    ['a later fragment', changed(makeFrame(), 21, 1)],
    ['IPv6 in an IPv4 frame', changed(makeFrame(), 14, 0x65)],
    ['IPv4 in an IPv6 frame', changed(makeFrame(V6), 14, 0x40)],
    ['an extension header', changed(makeFrame(V6), 20, 0)],
    ['a fragment header', changed(makeFrame(V6), 20, 44)],
    ['port 0', makeFrame({ port: 0 })],
  ])('refuses %s', (_, frame) => {
    expect(parseHeldFrame(frame)).toBeUndefined();
  });

  test('gives frames of one flow one name, whatever their source port and payload, and others another', () => {
    const name = (fields: Parameters<typeof makeFrame>[0]): string | undefined => parseHeldFrame(makeFrame(fields))?.flow;
    expect(name({ sourcePort: 1, payload: 'a', gate: 4 })).toBe(name({}));
    const others = [
      { endpoint: 8 },
      { source: '10.1.0.3' },
      { destination: '10.2.0.3' },
      { source: '10.2.0.2', destination: '10.1.0.2' },
      { protocol: 17 },
      { port: 8444 },
      { protocol: 1 },
      V6,
    ];
    expect(new Set([name({}), ...others.map(name)]).size).toBe(others.length + 1);
  });

  test('lives through any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(0x0800, 0x86dd), (bytes, ethertype) => {
        const frame = Buffer.from(bytes);
        if (frame.length >= 14) frame.writeUInt16BE(ethertype, 12);
        const held = parseHeldFrame(frame);
        if (held) expect(held.source().family).toBe(held.destination().family);
      }),
    );
  });
});
