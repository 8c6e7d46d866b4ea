import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isSymbolonError } from '#core/errors/error';
import { parseIpAddress } from './address.ts';
import { decodeFlow, encodeFlow, type Flow, hasPorts, parsePort, parseProtocol, PROTOCOL } from './flow.ts';

const v4 = fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => parseIpAddress(`10.${a}.0.${b}`));
const v6 = fc.nat(0xffff).map((g) => parseIpAddress(`2001:db8::${g.toString(16)}`));
const flows: fc.Arbitrary<Flow> = fc
  .tuple(fc.oneof(fc.tuple(v4, v4), fc.tuple(v6, v6)), fc.nat(255).map(parseProtocol), fc.integer({ min: 1, max: 65_535 }).map(parsePort))
  .map(([[source, destination], protocol, servicePort]) => ({ source, destination, protocol, ...(hasPorts(protocol) && { servicePort }) }));
const web: Flow = {
  source: parseIpAddress('10.1.0.2'),
  destination: parseIpAddress('10.2.0.2'),
  protocol: PROTOCOL.tcp,
  servicePort: parsePort(8443),
};

describe('ports and protocols', () => {
  test.each([1, 8443, 65_535])('port %d', (port) => {
    expect(parsePort(port)).toBe(port);
  });
  test.each([0, -1, 65_536, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('no port: %d', (port) => {
    expect(() => parsePort(port)).toThrow(expect.objectContaining({ code: 'PORT_INVALID' }));
  });
  test.each([0, 6, 255])('protocol %d', (protocol) => {
    expect(parseProtocol(protocol)).toBe(protocol);
  });
  test.each([-1, 256, 0.5, Number.NaN])('no protocol: %d', (protocol) => {
    expect(() => parseProtocol(protocol)).toThrow(expect.objectContaining({ code: 'PROTOCOL_INVALID' }));
  });
  test('which have ports', () => {
    expect([PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.icmp, PROTOCOL.icmpv6].map(hasPorts)).toEqual([true, true, false, false]);
  });
});

describe('canonical bytes', () => {
  test('their layout is signed: it must never change', () => {
    const v4mapped = (end: string) => `00000000000000000000ffff${end}`;
    expect(Buffer.from(encodeFlow(web, 7)).toString('hex')).toBe(`0100000007${v4mapped('0a010002')}${v4mapped('0a020002')}0620fb`);
  });

  test('there and back', () => {
    fc.assert(
      fc.property(flows, fc.nat(0xffffffff), (flow, realm) => {
        expect(decodeFlow(encodeFlow(flow, realm))).toEqual({ flow, realm });
      }),
    );
  });

  test('two flows have the same bytes exactly if they are equal', () => {
    fc.assert(
      fc.property(flows, flows, (a, b) => {
        expect(Buffer.from(encodeFlow(a)).equals(encodeFlow(b))).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });

  test('mixed families are refused', () => {
    expect(() => encodeFlow({ ...web, destination: parseIpAddress('::1') })).toThrow(expect.objectContaining({ code: 'FLOW_INVALID' }));
  });

  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['nothing', () => new Uint8Array()],
    ['a byte too few', (b) => b.subarray(1)],
    ['a byte too many', (b) => Uint8Array.from([...b, 0])],
    ['another version', (b) => b.with(0, 2)],
    ['TCP without a port', (b) => b.with(38, 0).with(39, 0)],
    ['ICMP with a port', (b) => b.with(37, 1)],
    ['mixed families', (b) => b.with(5, 0x20)],
  ])('refused: %s', (_, change) => {
    expect(() => decodeFlow(change(encodeFlow(web)))).toThrow(expect.objectContaining({ code: 'FLOW_INVALID' }));
  });

  test('any 40 bytes are refused, or are the bytes of the flow that they give', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 40, maxLength: 40 }), (noise) => {
        const bytes = noise.with(0, 1);
        try {
          const { flow, realm } = decodeFlow(bytes);
          expect(Buffer.from(encodeFlow(flow, realm)).equals(bytes)).toBe(true);
        } catch (error) {
          if (!isSymbolonError(error)) throw error;
        }
      }),
    );
  });
});
