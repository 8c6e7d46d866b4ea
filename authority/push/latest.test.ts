import { expect, test } from '@jest/globals';
import { Latest } from './latest.ts';

async function read<T>(latest: Latest<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const value of latest) seen.push(value);
  return seen;
}

test('a value that nobody has taken is replaced by a newer one', async () => {
  const latest = new Latest<number>();
  latest.set(1);
  latest.set(2);
  const values = latest[Symbol.asyncIterator]();
  expect((await values.next()).value).toBe(2);
  const next = values.next();
  latest.set(3);
  expect((await next).value).toBe(3);
});

test('reading ends in order or with the first error, and drops what was not read', async () => {
  const orderly = new Latest<number>();
  const reading = read(orderly);
  orderly.end();
  expect(await reading).toEqual([]);
  const broken = new Latest<number>();
  broken.set(1);
  broken.end(new Error('first'));
  broken.end(new Error('second'));
  await expect(read(broken)).rejects.toThrow('first');
});
