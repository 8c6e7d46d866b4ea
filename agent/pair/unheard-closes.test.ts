import { expect, test } from '@jest/globals';
import { parseIpAddress } from '#core/network/address';
import { claimedAddress, claimOf } from './ends.ts';
import { UnheardCloses } from './unheard-closes.ts';

const remote = parseIpAddress('10.2.0.10');
const web = { role: 'client', local: parseIpAddress('10.1.0.10'), remote } as const;
const batch = { role: 'server', local: parseIpAddress('10.1.0.11'), remote } as const;

test('an address is claimed until each of its pairs is acknowledged', () => {
  const closes = new UnheardCloses(32n);
  closes.add('a', web, 0n);
  closes.add('b', web, 0n);
  expect(closes.heard('a')).toBe(true);
  expect(closes.claims()).toEqual(new Map([[claimOf(web), 32n]]));
  expect(closes.heard('b')).toBe(true);
  expect(closes.heard('b')).toBe(false);
  expect(closes.claims().size).toBe(0);
});

test('or until the other node’s lease is over', () => {
  const closes = new UnheardCloses(32n);
  closes.add('a', web, 0n);
  closes.add('b', batch, 10n);
  expect(closes.sweep(31n)).toBe(false);
  expect(closes.sweep(32n)).toBe(true);
  expect(closes.claims()).toEqual(new Map([[claimOf(batch), 42n]]));
  expect(closes.sweep(42n)).toBe(true);
  expect(closes.claims().size).toBe(0);
});

test('a claim says which address it is on', () => {
  expect([web, batch].map((ends) => claimedAddress(claimOf(ends)))).toEqual(['10.1.0.10', '10.1.0.11']);
});

test('the last of several closes says how long', () => {
  const closes = new UnheardCloses(32n);
  closes.add('a', web, 0n);
  closes.add('b', web, 10n);
  expect(closes.claims()).toEqual(new Map([[claimOf(web), 42n]]));
});
