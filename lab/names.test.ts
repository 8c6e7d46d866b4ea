import { expect, test } from '@jest/globals';
import { hostSideInterface, labIdOf, MAX_INTERFACE_NAME, MAX_NAME, routerSideInterface } from './names.ts';

test('the longest name still makes interfaces that the kernel takes', () => {
  const longest = 'x'.repeat(MAX_NAME);
  expect(hostSideInterface(longest).length).toBeLessThanOrEqual(MAX_INTERFACE_NAME);
  expect(routerSideInterface(longest).length).toBeLessThanOrEqual(MAX_INTERFACE_NAME);
});

test('a lab id depends on the checkout and on the process', () => {
  const id = labIdOf('/src/symbolon', 7);
  expect(id).toMatch(/^[0-9a-f]{8}$/);
  expect(labIdOf('/src/symbolon', 8)).not.toBe(id);
  expect(labIdOf('/src/other', 7)).not.toBe(id);
  expect(labIdOf('/src/symbolon', 7)).toBe(id);
});
