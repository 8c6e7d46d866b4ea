import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MAX_BUNDLE_BYTES } from '#core/spiffe/bundle-json';
import { certificatesToPem } from '#core/spiffe/pem';
import { TestCa } from '#core/spiffe/testing/ca';
import { instantFromMs } from '#core/time/instant';
import { EXIT, explainFailure } from '#daemon/exit';
import { askAuthority } from './authority-access.ts';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sy-access-'));
  const ca = await TestCa.create('east.example');
  const now = Date.now();
  const validity = { notBefore: instantFromMs(now - 60_000), notAfter: instantFromMs(now + 3_600_000) };
  const [one, two] = [await ca.issue('/symbolon/reader/a', validity), await ca.issue('/symbolon/reader/b', validity)];
  file('cert', certificatesToPem(one.chain));
  file('key', one.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
  file('other-key', two.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
  file('bundle', certificatesToPem([ca.der]));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
}

const GARBAGE = '-----BEGIN CERTIFICATE-----\ndGlwcGVjYW5vZQ==\n-----END CERTIFICATE-----\n';

test.each<[flag: 'cert' | 'key' | 'bundle', what: string, text: string | undefined, says: string]>([
  ['cert', 'is missing', undefined, 'cannot be read; name a file that exists'],
  ['cert', 'is no PEM', 'tippecanoe', 'cannot be used: the text holds no PEM certificate'],
  ['cert', 'holds garbage', GARBAGE, 'cannot be used: PEM block 1 of 1 is not a readable X.509 certificate'],
  ['key', 'is no key', 'tippecanoe', 'cannot be used: the private key is not a readable PEM key'],
  ['bundle', 'holds garbage', GARBAGE, 'cannot be used: PEM block 1 of 1 is not a readable X.509 certificate'],
  ['bundle', 'has keys of another use', '{"keys":[{"kty":"EC","use":"jwt-svid"}]}', 'keys[0] has the use "jwt-svid"'],
  ['bundle', 'is empty', '{"keys":[]}', 'no X.509 authority of east.example that can be used: its "keys" are empty'],
  ['bundle', 'has a key twice', '{"keys":[],"keys":[]}', 'cannot be used: the SPIFFE bundle has the key "keys" twice'],
  ['bundle', 'is too large', `{${' '.repeat(MAX_BUNDLE_BYTES)}}`, `cannot be used: the SPIFFE bundle has ${MAX_BUNDLE_BYTES + 2} bytes`],
])('a --%s that %s is named with its file, before anybody is asked', async (flag, what, text, says) => {
  const path = join(folder, `${flag} ${what}`);
  if (text !== undefined) file(`${flag} ${what}`, text);
  const right = { cert: join(folder, 'cert'), key: join(folder, 'key'), bundle: join(folder, 'bundle') };
  const flags = { authority: '192.0.2.1:7400', trustDomain: 'east.example', ...right, [flag]: path };
  const error = await askAuthority(flags, () => Promise.reject(new Error('was asked'))).catch((e: unknown) => e);
  const { code, text: said } = explainFailure('symbolon', error);
  expect(code).toBe(EXIT.usage);
  expect(said).toContain(`symbolon: --${flag} ${JSON.stringify(path)} `);
  expect(said).toContain(says);
  expect(said).not.toMatch(/tippecanoe|dGlwcGVj/);
});

test('a --key that is not that of the certificate is named', async () => {
  const [cert, key, bundle] = ['cert', 'other-key', 'bundle'].map((name) => join(folder, name)) as [string, string, string];
  const flags = { authority: '192.0.2.1:7400', trustDomain: 'east.example', cert, key, bundle };
  await expect(askAuthority(flags, () => Promise.resolve())).rejects.toThrow(
    `--key ${JSON.stringify(key)} cannot be used: the private key is not that of the first certificate`,
  );
});

test('what is right is taken', async () => {
  const [cert, key, bundle] = ['cert', 'key', 'bundle'].map((name) => join(folder, name)) as [string, string, string];
  expect(await askAuthority({ authority: '192.0.2.1:7400', trustDomain: 'east.example', cert, key, bundle }, async () => 'asked')).toBe(
    'asked',
  );
});
