import { expect, test } from '@jest/globals';
import { MAX_PAGE_SIZE, pageOf } from './page.ts';

const items = Array.from({ length: MAX_PAGE_SIZE + 1 }, (_, i) => String(i).padStart(5, '0')).toReversed();
const same = { of: (id: string): string => id, isKey: (text: string): boolean => /^\w+$/.test(text) };

test.each([0, -1, 5000])('a page size of %d is the most that a page holds', (pageSize) => {
  const page = pageOf(items, same, { pageSize, pageToken: '' });
  expect(page.items).toHaveLength(MAX_PAGE_SIZE);
  expect(page.nextPageToken).toBe('00999');
  expect(pageOf(items, same, { pageSize, pageToken: page.nextPageToken })).toEqual({ items: ['01000'], nextPageToken: '' });
});

test('a page that ends with the list has no next', () => {
  expect(pageOf(['b', 'a'], same, { pageSize: 2, pageToken: '' })).toEqual({ items: ['a', 'b'], nextPageToken: '' });
});

test('an item that went after it was the last of a page does not stop the paging', () => {
  expect(pageOf(['a', 'c'], same, { pageSize: 1, pageToken: 'b' }).items).toEqual(['c']);
});

test.each(['', 'b'])('the token %j is one', (pageToken) => {
  expect(pageOf(['a', 'c'], same, { pageSize: 1, pageToken }).items).toHaveLength(1);
});

test.each([' ', 'b c', '-'])('the token %j is none', (pageToken) => {
  expect(() => pageOf(['a', 'c'], same, { pageSize: 1, pageToken })).toThrow(
    expect.objectContaining({ code: 'REQUEST_INVALID', context: { field: 'page_token', value: pageToken } }),
  );
});
