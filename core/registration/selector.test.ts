import { describe, expect, test } from '@jest/globals';
import { formatSelector, parseSelector, selectorsMatch } from './selector.ts';

describe('parseSelector', () => {
  test.each([
    ['unix:uid:1001', { type: 'unix', value: 'uid:1001' }],
    ['k8s_psat:cluster:a b', { type: 'k8s_psat', value: 'cluster:a b' }],
    ['cgroup:path:/apps/web', { type: 'cgroup', value: 'path:/apps/web' }],
    ['a::', { type: 'a', value: ':' }],
  ])('takes %s; only the first colon separates', (text, expected) => {
    expect(parseSelector(text)).toEqual(expected);
    expect(formatSelector(parseSelector(text))).toBe(text);
  });

  test.each(['', 'unix', 'unix:', ':uid:1', 'Unix:uid:1', 'un ix:uid', '\u0000:x'])('refuses %j', (text) => {
    expect(() => parseSelector(text)).toThrow(expect.objectContaining({ code: 'SELECTOR_INVALID', context: { value: text } }));
  });
});

describe('selectorsMatch', () => {
  const found = ['unix:uid:1', 'unix:gid:2'].map(parseSelector);
  test.each([
    [['unix:uid:1'], true],
    [['unix:gid:2', 'unix:uid:1'], true],
    [['unix:uid:1', 'unix:uid:1'], true],
    [['unix:uid:1', 'unix:gid:3'], false],
    [['unix:uid:11'], false],
    [['uid:1'], false],
    [[], false],
  ])('an entry that wants %j of a process with uid 1 and gid 2: %s', (wanted, expected) => {
    expect(selectorsMatch(wanted.map(parseSelector), found)).toBe(expected);
  });
});
