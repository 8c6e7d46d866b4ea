import { expect, test } from '@jest/globals';
import { oneInEachTurn } from './one-in-each-turn.ts';

/** In which turn of the event loop each item was worked on. */
async function turnsOf(offer: (item: number) => void, worked: Map<number, number>, items: readonly number[]): Promise<readonly number[]> {
  let turn = 0;
  for (const item of items) offer(item);
  for (; turn < 20; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    for (const item of items) if (done.has(item) && !worked.has(item)) worked.set(item, turn);
  }
  return items.map((item) => worked.get(item) ?? -1);
}

const done = new Set<number>();

test('items that come together are worked on in order, each in a turn of its own', async () => {
  done.clear();
  expect(
    await turnsOf(
      oneInEachTurn((item: number) => done.add(item)),
      new Map(),
      [1, 2, 3, 4],
    ),
  ).toEqual([0, 1, 2, 3]);
});

test('without it all are worked on in the same turn', async () => {
  done.clear();
  expect(await turnsOf((item) => done.add(item), new Map(), [1, 2, 3, 4])).toEqual([0, 0, 0, 0]);
});

test('items that come while others wait, or after all are done, have their turns too', async () => {
  const order: number[] = [];
  const offer = oneInEachTurn((item: number) => {
    order.push(item);
    if (item === 1) offer(3);
  });
  offer(1);
  offer(2);
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
  offer(4);
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual([1, 2, 3, 4]);
});
