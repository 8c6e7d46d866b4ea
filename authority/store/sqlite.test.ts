import { expect, test } from '@jest/globals';
import { openSqlite, sqliteModule } from './sqlite.ts';

test.each([
  ['9', 'better-sqlite3-12'], // Node 20.19, 22.13
  ['10', 'better-sqlite3'], // Node 22.14, 24
  ['11', 'better-sqlite3'],
  ['', 'better-sqlite3-12'],
])('Node-API %s: %s', (nodeApi, module) => {
  expect(sqliteModule(nodeApi)).toBe(module);
});

test('this Node’s opens a database', () => {
  const database = openSqlite(':memory:', {});
  expect(database.pragma('journal_mode', { simple: true })).toBe('memory');
  database.close();
});
