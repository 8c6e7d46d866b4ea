import { describe, expect, test } from '@jest/globals';
import { authorityConfig, type ServeFlags } from './config.ts';

const flags = (more: Partial<ServeFlags>): ServeFlags => ({
  trustDomain: 'east.example',
  data: '/tmp/x',
  listen: '192.0.2.1:7400',
  ...more,
});

describe('serve', () => {
  test.each([
    ['192.0.2.1:7400', '192.0.2.1', 7400],
    ['[2001:db8::1]:7400', '2001:db8::1', 7400],
    ['[::]:0', '::', 0],
    ['localhost:65535', 'localhost', 65_535],
  ])('listens on %s', (listen, host, port) => {
    expect(authorityConfig(flags({ listen })).listen).toEqual({ host, port });
  });

  test.each(['192.0.2.1', '192.0.2.1:65536', ':7400', '2001:db8::1:7400', '[2001:db8::1]', 'a:b', ''])(
    'refuses to listen on %j',
    (listen) => {
      expect(() => authorityConfig(flags({ listen }))).toThrow(/--listen .* is not an address and port/);
    },
  );

  test('keeps its sockets in the data folder unless told otherwise', () => {
    expect(authorityConfig(flags({}))).toMatchObject({
      adminSocket: '/tmp/x/admin.sock',
      metricsSocket: '/tmp/x/metrics.sock',
      logLevel: 'info',
    });
    expect(authorityConfig(flags({ adminSocket: '/run/a.sock' })).adminSocket).toBe('/run/a.sock');
  });

  test.each([
    [{ trustDomain: 'East.Example' }, 'TRUST_DOMAIN_INVALID'],
    [{ trustDomain: 'spiffe://east.example' }, 'TRUST_DOMAIN_INVALID'],
    [{ logLevel: 'loud' }, 'CONFIG_INVALID'],
  ])('refuses %j', (wrong, code) => {
    expect(() => authorityConfig(flags(wrong))).toThrow(expect.objectContaining({ code }));
  });
});
