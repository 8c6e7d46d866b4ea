import { expect, test } from '@jest/globals';
import { peerNetwork } from './peer-network.ts';

test.each([
  ['192.0.2.1', '::ffff:192.0.2.1', true],
  ['192.0.2.1', '192.0.2.2', false],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
  ['2001:db8::1', '2001:db8::ffff:1', true],
  ['2001:db8::1', '2001:db8:0:1::1', false],
  ['fe80::1%eth0', 'fe80::2', true],
  ['::1', '127.0.0.1', false],
])('%s and %s are one: %s', (a, b, same) => {
  expect(peerNetwork(a) === peerNetwork(b)).toBe(same);
});
