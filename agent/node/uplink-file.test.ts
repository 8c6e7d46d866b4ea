import { afterAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadUplinks, saveUplinks } from './uplink-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'sy-uplinks-'));
const path = join(directory, 'uplinks.json');
afterAll(() => rmSync(directory, { recursive: true }));

test('a first agent finds none', () => {
  expect(loadUplinks(path)).toEqual([]);
});

test('the next agent reads what was written', () => {
  saveUplinks(path, ['eth0', 'eth1']);
  expect(loadUplinks(path)).toEqual(['eth0', 'eth1']);
});

test.each(['', '[2]', '{"uplinks":["eth0"]}', '[""]'])('a file that is none names none: %j', (text) => {
  writeFileSync(path, text);
  expect(loadUplinks(path)).toEqual([]);
});
