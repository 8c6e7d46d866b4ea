import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isSymbolonError } from '#core/errors/error';
import { parseInterfaceAddress } from './address-message.ts';
import { parseLink } from './link-message.ts';
import { encodeMessage, type NetlinkMessage, parseAttributes, parseMessages } from './message.ts';
import { parseRoute } from './route-message.ts';

/** A message whose body was recorded on Linux 6.18. */
const recorded = (type: number, hex: string): NetlinkMessage => ({ type, flags: 0, sequence: 0, body: Buffer.from(hex, 'hex') });

describe('messages', () => {
  test('come back as they were written', () => {
    const attributes = [
      { type: 3, value: Buffer.from('eth0\0') },
      { type: 4, value: 1500 },
      { type: 26, value: [{ type: 10, value: [{ type: 8, value: Uint8Array.of(1) }] }] },
    ];
    const bytes = encodeMessage(16, 5, 77, Buffer.alloc(16, 1), attributes);
    expect(bytes.length % 4).toBe(0);
    const [message] = parseMessages(Buffer.concat([bytes, bytes]));
    expect(parseMessages(Buffer.concat([bytes, bytes]))).toHaveLength(2);
    expect(message).toMatchObject({ type: 16, flags: 5, sequence: 77 });
    const parsed = parseAttributes(message?.body ?? Buffer.alloc(0), 16);
    expect(parsed.get(3)?.toString()).toBe('eth0\0');
    expect(parsed.get(4)?.readUInt32LE(0)).toBe(1500);
    const inner = parseAttributes(parseAttributes(parsed.get(26) ?? Buffer.alloc(0), 0).get(10) ?? Buffer.alloc(0), 0);
    expect(inner.get(8)?.readUInt8(0)).toBe(1);
  });

  test('of any bytes are read or refused, never read past their end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        try {
          for (const message of parseMessages(Buffer.from(bytes))) {
            parseLink(message);
            parseRoute(message);
            parseInterfaceAddress(message);
          }
        } catch (error) {
          expect(isSymbolonError(error, 'FRAME_INVALID') || error instanceof RangeError).toBe(true);
        }
      }),
    );
  });
});

describe('links', () => {
  test('a veth whose far end lies in another namespace', () => {
    const body = [
      '00000100030000000310000000000000', // ifinfomsg: index 3, flags up
      '0700030076300000', // name v0
      '0a0001004ed7ad1610510000', // address
      '10001200090001007665746800000000', // info: kind veth
      '0800250000000000', // namespace 0
      '0800050002000000', // far end's index 2
    ].join('');
    expect(parseLink(recorded(16, body))).toEqual({
      index: 3,
      name: 'v0',
      kind: 'veth',
      up: true,
      ethernet: true,
      mac: '4ed7ad161051',
      peerIndex: 2,
      peerNamespaceId: 0,
    });
  });

  test('a TAP has neither far end nor namespace', () => {
    const body = [
      '0000010002000000c310010000000000',
      '0c00030073796d7461703000',
      '0c0012000800010074756e00',
      '0a000100caf86566ad220000',
    ].join('');
    expect(parseLink(recorded(16, body))).toMatchObject({
      name: 'symtap0',
      ethernet: true,
      kind: 'tun',
      peerIndex: undefined,
      peerNamespaceId: undefined,
    });
  });
});

describe('an Ethernet header', () => {
  test.each([
    ['a loopback', '0403', false],
    ['a tun device, WireGuard', 'feff', false],
    ['ppp', '0002', false],
    ['ipip', '0003', false],
    ['an Ethernet device', '0100', true],
  ])('of %s', (_, type, ethernet) => {
    expect(parseLink(recorded(16, `0000${type}030000000310000000000000`)).ethernet).toBe(ethernet);
  });
});

describe('addresses', () => {
  test.each([
    ['0220800001000000080001000a090909080002000a090909070003006c6f00000800080080000000', 1, '10.9.9.9', 32, true],
    ['0a8080fe0100000014000100000000000000000000000000000000010800080080000000', 1, '::1', 128, true],
    // Of a router's advertisement: IFA_F_MANAGETEMPADDR alone.
    ['0a4000000300000014000100fd02000000000000000000fffe0000010800080000010000', 3, 'fd02::ff:fe00:1', 64, false],
    ['0220800003000000080001000a090909', 3, '10.9.9.9', 32, true],
    ['0220000003000000080001000a090909', 3, '10.9.9.9', 32, false],
  ])('%s', (body, interfaceIndex, text, prefixLength, permanent) => {
    expect(parseInterfaceAddress(recorded(20, body))).toMatchObject({ interfaceIndex, address: { text }, prefixLength, permanent });
  });
});

describe('routes', () => {
  const header = (family: number, bits: number, type: number, flags = 0): string => {
    const fixed = Buffer.from([family, bits, 0, 0, 254, 3, 0, type, 0, 0, 0, 0]);
    fixed.writeUInt32LE(flags, 8);
    return fixed.toString('hex');
  };
  const OUT_3 = '0800040003000000';
  test.each([
    [
      'a host route',
      `${header(2, 32, 1)}080001000a090002${OUT_3}`,
      { destination: { text: '10.9.0.2' }, prefixLength: 32, interfaceIndexes: [3], gateway: false, protocol: 3 },
    ],
    [
      'a default route',
      `${header(2, 0, 1)}080005000a630102${OUT_3}`,
      { destination: { family: 4, text: '0.0.0.0' }, prefixLength: 0, gateway: true },
    ],
    ['an IPv6 default route', `${header(10, 0, 1)}${OUT_3}`, { destination: { family: 6, text: '::' }, prefixLength: 0, gateway: false }],
    [
      'a route of two hops, one by a gateway',
      // The hops: struct rtnexthop of interface 3, then of interface 5 with a gateway.
      [header(2, 24, 1), '080001000a090000', '1c000900', '0800000003000000', '1000000005000000', '080005000a630102'].join(''),
      { interfaceIndexes: [3, 5], gateway: true },
    ],
  ])('%s', (_, body, expected) => {
    expect(parseRoute(recorded(24, body))).toMatchObject(expected);
  });

  test.each([
    ['a local route', '0a800000ff0200020000000008000f00ff00000014000100000000000000000000000000000000010800040001000000'],
    ['a multicast route', '0a080000ff0200050000000008000f00ff00000014000100ff0000000000000000000000000000000800040002000000'],
    ['an entry of the cache', `${header(2, 32, 1, 0x200)}080001000a090002${OUT_3}`],
    ['another family', `${header(7, 0, 1)}${OUT_3}`],
  ])('%s is none', (_, body) => {
    expect(parseRoute(recorded(24, body))).toBeUndefined();
  });
});
