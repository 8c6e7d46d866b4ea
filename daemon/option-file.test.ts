import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SymbolonError } from '#core/errors/error';
import { explainFailure } from './exit.ts';
import { readOptionFile } from './option-file.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sy-option-'));
  writeFileSync(join(folder, 'file'), 'text');
});
afterAll(() => rmSync(folder, { recursive: true }));

const broken = (): never => {
  throw new SymbolonError('BUNDLE_INVALID', 'it is broken', { rule: 'x' }, new Error('in the middle'));
};

test('what is read is handed to the parser', () => {
  expect(readOptionFile('--key', join(folder, 'file'), (text) => text.length)).toBe(4);
});

test.each([
  ['missing', broken, 'cannot be read; name a file that exists'],
  ['file', broken, 'cannot be used: it is broken: in the middle'],
])('%s: the option and the file are named', (name, parse, why) => {
  const path = join(folder, name);
  expect(() => readOptionFile('--bundle', path, parse)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: `--bundle ${JSON.stringify(path)} ${why}`,
      context: { path: '--bundle', value: path },
    }),
  );
});

test('a key that is given in the place of its file is not shown', () => {
  const key = `-----BEGIN PRIVATE KEY-----\nc2VjcmV0${'c2VjcmV0'.repeat(100)}\n-----END PRIVATE KEY-----\n`;
  let failure: unknown;
  try {
    readOptionFile('--key', key, String);
  } catch (error) {
    failure = error;
  }
  expect(failure).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/^--key .*name the file$/),
    context: { value: '' },
  });
  expect(`${inspect(failure)} ${explainFailure('symbolon', failure).text}`).not.toContain('c2Vj');
});

test('a fault of the program stays one', () => {
  const fault = (): never => {
    throw new TypeError('a bug');
  };
  expect(() => readOptionFile('--bundle', join(folder, 'file'), fault)).toThrow(TypeError);
});
