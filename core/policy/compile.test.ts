import { expect, test } from '@jest/globals';
import { compile } from './compile.ts';
import { parseAuthPolicy } from './parse.ts';

const policy = parseAuthPolicy({
  trustDomain: 'east.example',
  name: 'p',
  sources: { trustDomains: ['east.example'] },
  destinations: { trustDomains: ['east.example'] },
  traffic: ['any'],
});

test('compile refuses a policy that demands more than can be enforced, instead of reading it as a weaker one', () => {
  expect(() => compile([policy])).not.toThrow();
  expect(() => compile([{ ...policy, protection: 'encrypted' }])).toThrow('not yet supported');
  expect(() => compile([{ ...policy, mode: 'audit' }])).toThrow('not yet supported');
});
