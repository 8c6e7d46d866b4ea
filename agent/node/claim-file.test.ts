import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { loadClaims, saveClaims } from './claim-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'sy-claims-'));
const path = join(directory, 'claims.json');
afterAll(() => rmSync(directory, { recursive: true }));

test('a first agent finds none', () => {
  expect(loadClaims(path).size).toBe(0);
});

test('the next agent reads what was written', () => {
  const claims = new Map([
    ['client 10.1.0.2 10.2.0.2', 2n ** 63n],
    ['server fd01::2 fd02::2', 1n],
  ]);
  saveClaims(path, claims);
  expect(loadClaims(path)).toEqual(claims);
});

test.each(['', '[]', '{"10.1.0.2":5}', '{"10.1.0.2":"-5"}', '{"10.1.0.2":"soon"}'])('a file that is none has none: %j', (text) => {
  writeFileSync(path, text);
  expect(loadClaims(path).size).toBe(0);
});
