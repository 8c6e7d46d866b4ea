import { expect, test } from '@jest/globals';
import { parseDnsName } from './dns-name.ts';

test.each([
  ['web', 'web'],
  ['Web.East.example', 'web.east.example'],
  ['*.east.example', '*.east.example'],
  [`${'a'.repeat(63)}.b`, `${'a'.repeat(63)}.b`],
])('%s is a DNS name', (text, name) => {
  expect(parseDnsName(text)).toBe(name);
});

test.each(['', '.', 'a.', 'a..b', '-a', 'a-', 'a_b', 'a b', '*', 'a.*.b', `${'a'.repeat(64)}.b`, `${'a.'.repeat(126)}ab`])(
  '%j is none',
  (text) => {
    expect(() => parseDnsName(text)).toThrow(
      expect.objectContaining({ code: 'ENTRY_INVALID', context: { field: 'dns_names', value: text } }),
    );
  },
);
