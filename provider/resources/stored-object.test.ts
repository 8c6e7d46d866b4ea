import { expect, test } from '@jest/globals';
import { rememberedGeneration, rememberGeneration } from './generation.ts';
import { splitImportId } from './stored-object.ts';

test.each([
  ['east.example/east-1', 'east.example', 'east-1'],
  ['east.example/8d6c-11', 'east.example', '8d6c-11'],
  ['spiffe://east.example/shop/web', 'east.example', 'shop/web'],
])('import ID %s', (id, trustDomain, rest) => {
  expect(splitImportId(id)).toEqual({ trustDomain, rest });
});
test.each(['', 'east-1', 'east.example/', '/x', 'East/x', 'spiffe://east.example'])('no import ID: %j', (id) => {
  expect(() => splitImportId(id)).toThrow();
});

test('generations are kept as text, 64 bits wide; none is no generation', () => {
  expect(rememberedGeneration(rememberGeneration({ owner: 'a', generation: 2n ** 63n }))).toBe(2n ** 63n);
  expect(rememberedGeneration({})).toBeUndefined();
  expect(rememberedGeneration({ generation: '-1' })).toBeUndefined();
});
