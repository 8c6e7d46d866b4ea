import { expect, test } from '@jest/globals';
import packageJson from '../package.json';
import { VERSION } from './version.ts';

test('the built version is that of package.json', () => {
  expect(VERSION).toBe(packageJson.version);
});
