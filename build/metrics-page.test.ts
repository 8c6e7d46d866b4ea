import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const read = (path: string): string => readFileSync(join(__dirname, '..', path), 'utf8');
const names = (text: string, quoted: RegExp): readonly string[] => [...text.matchAll(quoted)].map(([, name]) => name ?? '').sort();

test('docs/reference/metrics.md names every metric, and no other', () => {
  const made = ['agent/status/metrics.ts', 'authority/metrics.ts'].flatMap((file) => names(read(file), /'(symbolon_\w+)'/g));
  expect(made.length).toBeGreaterThan(5);
  expect(names(read('docs/reference/metrics.md'), /^\| `(symbolon_\w+)`/gm)).toEqual([...made].sort());
});
