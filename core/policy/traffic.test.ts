import { describe, expect, test } from '@jest/globals';
import { isSymbolonError } from '#core/errors/error';
import { parseTraffic } from './traffic.ts';

describe('parseTraffic', () => {
  test.each([
    ['any', { text: 'any' }],
    ['icmp', { protocol: 1, text: 'icmp' }],
    ['tcp/8443', { protocol: 6, lowPort: 8443, highPort: 8443, text: 'tcp/8443' }],
    ['udp/5000-5100', { protocol: 17, lowPort: 5000, highPort: 5100, text: 'udp/5000-5100' }],
    ['tcp/1-65535', { protocol: 6, lowPort: 1, highPort: 65_535, text: 'tcp/1-65535' }],
    ['protocol/132', { protocol: 132, text: 'protocol/132' }],
    ['protocol/0', { protocol: 0, text: 'protocol/0' }],
  ])('takes %s', (text, expected) => {
    expect(parseTraffic(text)).toEqual(expected);
  });

  test.each([
    ['', 'not a class of traffic'],
    ['tcp', 'not a class of traffic'],
    ['TCP/80', 'not a class of traffic'],
    ['tcp/', 'not a class of traffic'],
    ['tcp/80 ', 'not a class of traffic'],
    [' tcp/80', 'not a class of traffic'],
    ['tcp/080', 'not a class of traffic'],
    ['tcp/-80', 'not a class of traffic'],
    ['tcp/8e1', 'not a class of traffic'],
    ['tcp/80-', 'not a class of traffic'],
    ['tcp/80,81', 'not a class of traffic'],
    ['icmp/8', 'not a class of traffic'],
    ['any/80', 'not a class of traffic'],
    ['sctp/80', 'not a class of traffic'],
    ['constructor/80', 'not a class of traffic'],
    ['protocol/132-140', 'not a class of traffic'],
    ['tcp/0', 'port 0'],
    ['tcp/65536', 'port 65536'],
    ['udp/5100-5000', 'falling order'],
    ['protocol/256', 'within 0 to 255'],
    ['protocol/6', 'tcp/1-65535'],
    ['protocol/1', 'icmp'],
    ['protocol/58', 'icmp'],
  ])('refuses %j and says why: %s', (text, why) => {
    expect(() => parseTraffic(text)).toThrow(why);
    try {
      parseTraffic(text);
    } catch (error) {
      expect(isSymbolonError(error, 'TRAFFIC_INVALID') && error.context).toEqual({ value: text });
    }
  });
});
