import { describe, expect, test } from '@jest/globals';
import { type PlaceLimits, Places } from './places.ts';

/** Who comes, in order: `a1` is the first of a. `-a1` leaves. What is left at the end, and who was refused. */
function share(limits: PlaceLimits, steps: string): { readonly left: string; readonly refused: string } {
  const places = new Places(limits);
  const inside = new Map<string, () => void>();
  const refused: string[] = [];
  for (const step of steps.split(' ')) {
    if (step.startsWith('-')) {
      inside.get(step.slice(1))?.();
      inside.delete(step.slice(1));
      continue;
    }
    const leave = places.take(step.charAt(0), () => inside.delete(step));
    if (leave) inside.set(step, leave);
    else refused.push(step);
  }
  return { left: [...inside.keys()].join(' '), refused: refused.join(' ') };
}

describe.each<[PlaceLimits['givesWay'], readonly (readonly [string, string, string, string])[]]>([
  [
    'oldest',
    [
      ['places for all', 'a1 a2 b1', 'a1 a2 b1', ''],
      ['too many of one', 'a1 a2 b1 a3', 'a2 b1 a3', ''],
      ['too many of all', 'a1 a2 b1 b2 c1', 'a2 b1 b2 c1', ''],
      ['one each, and one more', 'a1 b1 c1 d1 e1', 'b1 c1 d1 e1', ''],
      ['somebody who leaves', 'a1 a2 -a1 a3', 'a2 a3', ''],
    ],
  ],
  [
    'newcomer',
    [
      ['places for all', 'a1 a2 b1', 'a1 a2 b1', ''],
      ['too many of one', 'a1 a2 b1 a3', 'a1 a2 b1', 'a3'],
      ['too many of all, of one who has none', 'a1 a2 b1 b2 c1', 'a1 b1 b2 c1', ''],
      ['too many of all, of one who has as many', 'a1 a2 b1 c1 c2', 'a1 a2 b1 c1', 'c2'],
      ['one each, and one more', 'a1 b1 c1 d1 e1', 'a1 b1 c1 d1', 'e1'],
      ['somebody who leaves', 'a1 a2 -a1 a3', 'a2 a3', ''],
      ['somebody who leaves twice', 'a1 a2 -a1 -a1 a3 a4', 'a2 a3', 'a4'],
    ],
  ],
])('where the %s gives way', (givesWay, rows) => {
  test.each(rows)('%s', (_what, steps, left, refused) => {
    expect(share({ all: 4, ofOne: 2, givesWay }, steps)).toEqual({ left, refused });
  });
});

test('giving a place back twice makes no room for two', () => {
  const places = new Places({ all: 1, ofOne: 1, givesWay: 'newcomer' });
  const leave = places.take('a', () => undefined);
  leave?.();
  leave?.();
  expect(places.take('a', () => undefined)).toBeDefined();
  expect(places.take('b', () => undefined)).toBeUndefined();
});

test('all are closed at the end', () => {
  const closed: string[] = [];
  const places = new Places({ all: 9, ofOne: 9, givesWay: 'newcomer' });
  for (const who of ['a', 'b', 'a']) places.take(who, () => closed.push(who));
  places.closeAll();
  expect(closed.toSorted()).toEqual(['a', 'a', 'b']);
});
