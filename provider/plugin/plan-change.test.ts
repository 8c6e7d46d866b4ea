import { describe, expect, test } from '@jest/globals';
import { appliedState, planChange } from './plan-change.ts';
import { attribute } from './schema/attribute.ts';
import { UNKNOWN, type Unknown } from './values/unknown.ts';

const attributes = {
  id: attribute.string({ computed: true, description: '' }),
  name: attribute.string({ required: true, forceNew: true, description: '' }),
  label: attribute.string({ computed: true, description: '' }),
  size: attribute.string({
    optional: true,
    description: '',
    // Growing is done in place.
    forceNew: (prior: string | null, planned: string | null | Unknown) => typeof planned !== 'string' || planned < (prior ?? ''),
  }),
  side: attribute.string({ optional: true, default: 'both', description: '' }),
  tags: attribute.texts({ optional: true, description: '' }),
};
const resource = {
  attributes,
  derive: ({ name }: { readonly [k: string]: unknown }) => ({ label: typeof name === 'string' ? `<${name}>` : UNKNOWN }),
};
const config = { id: null, name: 'a', label: null, size: '5', side: null, tags: ['x', 'y'] };
const state = { id: '1', name: 'a', label: '<a>', size: '5', side: 'both', tags: ['y', 'x'] };

describe('a create', () => {
  test('fills defaults and derived values, and knows that the rest comes later', () => {
    const { planned, requiresReplace } = planChange(resource, null, config, config);
    expect(planned).toEqual({ ...config, id: UNKNOWN, label: '<a>', side: 'both' });
    expect(requiresReplace).toEqual([]);
  });
  test('derives nothing from what is unknown', () => {
    expect(planChange(resource, null, { ...config, name: UNKNOWN }, { ...config, name: UNKNOWN }).planned['label']).toBe(UNKNOWN);
  });
});

describe('an update', () => {
  const update = (changes: object) => {
    const wanted = { ...config, ...changes };
    // What core proposes: the configuration, with prior values where a computed attribute is not set.
    return planChange(resource, state, { ...wanted, id: state.id, label: state.label, side: wanted.side ?? state.side }, wanted);
  };
  test('without a difference plans the state, sets in any order', () => {
    expect(update({})).toEqual({ planned: { ...state, tags: ['x', 'y'] }, requiresReplace: [] });
  });
  test('keeps computed values', () => {
    expect(update({ tags: null }).planned['id']).toBe('1');
  });
  test('goes back to the default when the attribute is taken out', () => {
    const before = { ...state, side: 'egress' };
    expect(planChange(resource, before, before, config).planned['side']).toBe('both');
  });
  test.each([
    { what: 'what identifies it', changes: { name: 'b' }, paths: ['name'] },
    { what: 'an unknown name', changes: { name: UNKNOWN }, paths: ['name'] },
    { what: 'a smaller size', changes: { size: '4' }, paths: ['size'] },
    { what: 'a larger size', changes: { size: '6' }, paths: [] },
    { what: 'an unknown size', changes: { size: UNKNOWN }, paths: ['size'] },
    { what: 'tags', changes: { tags: ['z'] }, paths: [] },
  ])('with $what needs a new object for: $paths', ({ changes, paths }) => {
    expect(update(changes).requiresReplace).toEqual(paths.map((name) => [{ attribute: name }]));
  });
});

test('after an apply state holds what was planned, and what was found where the plan did not know', () => {
  const planned = { id: UNKNOWN, name: 'a', label: '<a>', size: null, side: 'both', tags: ['x'] };
  const found = { id: '7', name: 'A', label: 'other', size: '1', side: 'egress', tags: [] };
  expect(appliedState(attributes, planned, found)).toEqual({ ...planned, id: '7' });
});
