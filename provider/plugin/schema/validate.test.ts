import { describe, expect, test } from '@jest/globals';
import { UNKNOWN, Unknown } from '../values/unknown.ts';
import type { ValueRecord } from '../values/value.ts';
import { attribute, type TextRule } from './attribute.ts';
import { reconcile } from './reconcile.ts';
import { schemaToProto } from './to-proto.ts';
import { validateAttributes } from './validate.ts';

/** Letters only; upper and lower case mean the same; nothing right begins with x. */
const LETTERS: TextRule = {
  check: (text) => {
    if (!/^[a-z]+$/i.test(text)) throw new Error(`${JSON.stringify(text)} is no word`);
  },
  checkPrefix: (prefix) => {
    if (prefix.startsWith('x')) throw new Error(`nothing begins with ${prefix}`);
  },
  canonical: (text) => text.toLowerCase(),
};
const attributes = {
  word: attribute.string({ optional: true, rule: LETTERS, description: 'A word.' }),
  words: attribute.texts({ optional: true, element: LETTERS, minItems: 1, description: 'Words.' }),
  ordered: attribute.texts({ optional: true, ordered: true, element: LETTERS, description: '' }),
  nested: attribute.object({
    optional: true,
    description: '',
    attributes: { word: attribute.string({ optional: true, rule: LETTERS, description: '' }) },
  }),
  map: attribute.mapOfObjects({
    optional: true,
    key: LETTERS,
    description: '',
    attributes: { word: attribute.string({ required: true, sensitive: true, rule: LETTERS, description: '' }) },
  }),
};
const nothing: ValueRecord = { word: null, words: null, ordered: null, nested: null, map: null };

describe('validateAttributes', () => {
  test.each<{ what: string; config: ValueRecord; details: string[] }>([
    { what: 'nothing', config: {}, details: [] },
    { what: 'right values', config: { word: 'a', words: ['a', 'b'], nested: { word: 'a' }, map: { k: { word: 'w' } } }, details: [] },
    { what: 'unknown values', config: { word: UNKNOWN, words: UNKNOWN, nested: UNKNOWN, map: UNKNOWN }, details: [] },
    { what: 'unknown elements', config: { words: [UNKNOWN], nested: { word: UNKNOWN }, map: { k: UNKNOWN } }, details: [] },
    { what: 'a wrong text', config: { word: '1' }, details: ['word: "1" is no word.'] },
    { what: 'a wrong element of a set', config: { words: ['a', '1'] }, details: ['words["1"]: "1" is no word.'] },
    { what: 'a wrong element of a list', config: { ordered: ['a', '1'] }, details: ['ordered[1]: "1" is no word.'] },
    { what: 'too few elements', config: { words: [] }, details: ['words: it has 0 elements; expected at least 1.'] },
    { what: 'a null element', config: { words: ['a', null] }, details: ['words[1]: null is no element; leave it out.'] },
    { what: 'two spellings', config: { words: ['a', 'A'] }, details: ['words: "a" and "A" are the same; leave one of them out.'] },
    { what: 'a wrong member', config: { nested: { word: '1' } }, details: ['nested.word: "1" is no word.'] },
    { what: 'a wrong member in a map', config: { map: { k: { word: '1' } } }, details: ['map["k"].word: "1" is no word.'] },
    { what: 'a wrong key', config: { map: { '1': { word: 'a' } } }, details: ['map["1"]: "1" is no word.'] },
    { what: 'a wrong beginning', config: { word: new Unknown({ prefix: 'xy' }) }, details: ['word: nothing begins with xy.'] },
    {
      what: 'several faults',
      config: { word: '1', nested: { word: '2' } },
      details: ['word: "1" is no word.', 'nested.word: "2" is no word.'],
    },
  ])('$what', ({ config, details }) => {
    const found = validateAttributes(attributes, { ...nothing, ...config });
    expect(found.map((d) => d.detail)).toEqual(details);
    expect(found.every((d) => d.severity === 'error' && d.path !== undefined)).toBe(true);
  });
});

describe('reconcile', () => {
  test.each<{ what: string; prior: ValueRecord; found: ValueRecord; result: ValueRecord }>([
    { what: 'another spelling is no change', prior: { word: 'Ab' }, found: { word: 'ab' }, result: { word: 'Ab' } },
    { what: 'another text is', prior: { word: 'a' }, found: { word: 'b' }, result: { word: 'b' } },
    {
      what: 'sets keep the spelling of their elements',
      prior: { words: ['A', 'b'] },
      found: { words: ['b', 'a', 'c'] },
      result: { words: ['b', 'A', 'c'] },
    },
    { what: 'an empty set and none are the same', prior: { words: [] }, found: { words: null }, result: { words: [] } },
    { what: 'an empty text and none are the same', prior: { word: '' }, found: { word: null }, result: { word: '' } },
    { what: 'what was set by somebody shows', prior: { word: null }, found: { word: 'b' }, result: { word: 'b' } },
    { what: 'what was taken away shows', prior: { words: ['a'] }, found: { words: null }, result: { words: null } },
    { what: 'members of objects', prior: { nested: { word: 'A' } }, found: { nested: { word: 'a' } }, result: { nested: { word: 'A' } } },
    { what: 'state that breaks the rule only equals itself', prior: { word: '1' }, found: { word: 'a' }, result: { word: 'a' } },
  ])('$what', ({ prior, found, result }) => {
    expect(reconcile(attributes, { ...nothing, ...prior }, { ...nothing, ...found })).toEqual({ ...nothing, ...result });
  });
});

test('the schema says what is optional, computed by default, nested and sensitive', () => {
  const withDefault = { side: attribute.string({ optional: true, default: 'both', description: '' }), ...attributes };
  const found = Object.fromEntries((schemaToProto(withDefault, 'd').block?.attributes ?? []).map((a) => [a.name, a]));
  expect(found['side']).toMatchObject({ optional: true, computed: true, required: false });
  expect(found['word']).toMatchObject({ optional: true, computed: false });
  expect(Buffer.from(found['words']?.type ?? []).toString()).toBe('["set","string"]');
  expect(found['map']?.type).toHaveLength(0);
  expect(found['map']?.nestedType).toMatchObject({ nesting: 4, attributes: [{ name: 'word', required: true, sensitive: true }] });
});
