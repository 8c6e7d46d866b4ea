import { expect, test } from '@jest/globals';
import { parseIpAddress } from '#core/network/address';
import { UnheardCloses } from './unheard-closes.ts';

const web = parseIpAddress('10.1.0.10');
const batch = parseIpAddress('10.1.0.11');

test('an address is claimed until each of its pairs is acknowledged', () => {
  const closes = new UnheardCloses(32n);
  closes.add('a', web, 0n);
  closes.add('b', web, 0n);
  expect(closes.heard('a')).toBe(true);
  expect(closes.addresses()).toEqual([web.text]);
  expect(closes.heard('b')).toBe(true);
  expect(closes.heard('b')).toBe(false);
  expect(closes.addresses()).toEqual([]);
});

test('or until the other node’s lease is over', () => {
  const closes = new UnheardCloses(32n);
  closes.add('a', web, 0n);
  closes.add('b', batch, 10n);
  expect(closes.sweep(31n)).toBe(false);
  expect(closes.sweep(32n)).toBe(true);
  expect(closes.addresses()).toEqual([batch.text]);
  expect(closes.sweep(42n)).toBe(true);
  expect(closes.addresses()).toEqual([]);
});
