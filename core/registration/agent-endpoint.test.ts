import { describe, expect, test } from '@jest/globals';
import { formatAgentEndpoint, parseAgentEndpoint } from './agent-endpoint.ts';

describe('parseAgentEndpoint', () => {
  test.each([
    ['192.0.2.7:7420', '192.0.2.7', 7420],
    ['[2001:db8::7]:1', '2001:db8::7', 1],
  ])('takes %s', (text, address, port) => {
    const endpoint = parseAgentEndpoint(text);
    expect([endpoint.address.text, endpoint.port]).toEqual([address, port]);
    expect(formatAgentEndpoint(endpoint)).toBe(text);
  });

  test('writes addresses in one way', () => {
    expect(formatAgentEndpoint(parseAgentEndpoint('[2001:DB8:0::7]:7420'))).toBe('[2001:db8::7]:7420');
  });

  test.each([
    '',
    '192.0.2.7',
    '192.0.2.7:',
    ':7420',
    '2001:db8::7:7420',
    '[192.0.2.7]:7420',
    '[2001:db8::7]',
    'host:7420',
    '192.0.2.7:0',
    '192.0.2.7:65536',
    '192.0.2.7:7420 ',
  ])('refuses %j', (text) => {
    expect(() => parseAgentEndpoint(text)).toThrow(expect.objectContaining({ name: 'SymbolonError' }));
  });
});
