import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MAX_BUNDLE_BYTES } from '#core/spiffe/bundle-json';
import { certificatesToPem } from '#core/spiffe/pem';
import { TestCa } from '#core/spiffe/testing/ca';
import { EXIT, explainFailure } from '#daemon/exit';
import { type AgentConfig, readAgentConfig } from './config.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sy-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The configuration of a first start with that bundle, and without a token. */
function configOf(bundle: string): { readonly path: string; readonly read: () => AgentConfig } {
  const path = join(folder, 'bundle');
  writeFileSync(path, bundle);
  const paths = { data: folder, run: folder, bpffs: folder, bootstrapBundle: path };
  const options = { trustDomain: 'east.example', authority: '192.0.2.1:7400', listenPort: '7420', uplink: [], logLevel: 'info', ...paths };
  return { path, read: () => readAgentConfig(options, {}, folder) };
}

function failureOf(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return error;
  }
}

test.each([
  [
    'garbage',
    '-----BEGIN CERTIFICATE-----\ndGlwcGVjYW5vZQ==\n-----END CERTIFICATE-----\n',
    'PEM block 1 of 1 is not a readable X.509 certificate',
  ],
  ['no certificate', '', 'the text holds no PEM certificate'],
  ['keys of another use', '{"keys":[{"kty":"EC","use":"jwt-svid"}]}', 'can be used: keys[0] has the use "jwt-svid"'],
  ['no keys', '{"keys":[]}', 'can be used: its "keys" are empty'],
  ['a key twice', '{"keys":[],"keys":[]}', 'has the key "keys" twice'],
  ['too much', `{${' '.repeat(MAX_BUNDLE_BYTES)}}`, 'bytes; at most'],
])('a bootstrap bundle that holds %s is named with its flag and file', (_, bundle, says) => {
  const { path, read } = configOf(bundle);
  const { code, text } = explainFailure('symbolon-agent', failureOf(read));
  expect(code).toBe(EXIT.usage);
  expect(text).toContain(`symbolon-agent: --bootstrap-bundle ${JSON.stringify(path)} cannot be used: `);
  expect(text).toContain(says);
});

test('a bootstrap bundle that is right is taken', async () => {
  const { der } = await TestCa.create('east.example');
  expect(configOf(certificatesToPem([der])).read().bootstrapBundle?.authorities).toHaveLength(1);
});
