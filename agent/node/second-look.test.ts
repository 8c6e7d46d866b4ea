import { expect, test } from '@jest/globals';
import { parseSpiffeId } from '#core/spiffe/id';
import { instantFromMs } from '#core/time/instant';
import type { Attestation } from '../attestation/attestation.ts';
import { SECOND_LOOK_MS, SecondLook } from './second-look.ts';

const web = parseSpiffeId('spiffe://east.example/web');
const refused: Attestation = { kind: 'refused', reason: 'process 7 matches no identity' };
const unmanaged: Attestation = { kind: 'unmanaged' };
const at = (ms: number) => instantFromMs(1_000_000 + ms);

test.each([
  ['a stranger in the namespace', refused],
  ['nobody who matches', unmanaged],
])('%s takes the identity away at the second look, not at the first', (_, found) => {
  const asked: number[] = [];
  const look = new SecondLook((_, ms) => asked.push(ms));
  expect(look.judge(3, web, found, at(0))).toEqual({ kind: 'pending' });
  expect(asked).toEqual([SECOND_LOOK_MS]);
  expect(look.judge(3, web, found, at(SECOND_LOOK_MS))).toEqual(found);
});

test('a stranger who has passed is forgotten: the next one is looked at twice again', () => {
  const look = new SecondLook(() => undefined);
  look.judge(3, web, refused, at(0));
  look.judge(3, web, { kind: 'pending' }, at(100));
  expect(look.judge(3, web, refused, at(5000))).toEqual({ kind: 'pending' });
});

test('a workload that had no identity is judged at once', () => {
  const look = new SecondLook(() => undefined);
  expect(look.judge(3, undefined, refused, at(0))).toEqual(refused);
});

test('a stranger who was seen once and then in no look that was complete is still there', () => {
  const look = new SecondLook(() => undefined);
  look.judge(3, web, refused, at(0));
  expect(look.judge(3, web, { kind: 'pending' }, at(100), false)).toEqual({ kind: 'pending' });
  expect(look.judge(3, web, refused, at(SECOND_LOOK_MS))).toEqual(refused);
});
