import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { describeError, type SymbolonError } from '#core/errors/error';
import { formatBundleJson } from '#core/spiffe/bundle-format';
import { parseTrustDomain } from '#core/spiffe/id';
import { certificatesToPem } from '#core/spiffe/pem';
import { TestCa } from '#core/spiffe/testing/ca';
import { failedOperation } from '../plugin/diagnostic.ts';
import { instantFromMs } from '#core/time/instant';
import { dialAuthority } from './endpoint.ts';

const EAST = parseTrustDomain('east.example');
const DAY_MS = 86_400_000;

/** An administrator's endpoint whose PEM texts are all right, but for what is changed. */
async function endpoint(changes: Partial<Record<'certificate' | 'key' | 'bundle', string>> = {}, validMs = DAY_MS) {
  const ca = await TestCa.create('east.example');
  const svid = await ca.issue('/symbolon/admin/test', {
    notAfter: instantFromMs(Date.now() + validMs),
    notBefore: instantFromMs(Date.now() - DAY_MS),
  });
  const key = svid.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const certificate = certificatesToPem(svid.chain);
  return { kind: 'mtls', address: '192.0.2.1:7400', certificate, key, bundle: certificatesToPem([ca.der]), ...changes } as const;
}

async function failure(changes: Parameters<typeof endpoint>[0]): Promise<unknown> {
  const wrong = await endpoint(changes);
  try {
    dialAuthority(EAST, wrong);
  } catch (error) {
    return error;
  }
  throw new Error('nothing was refused');
}

// A key as a secret store may hand it out: the body of the PEM text, without its first and last lines.
const BODY = Buffer.from('tippecanoe and tyler too, and a key that is long enough for a line').toString('base64');

describe('what is neither PEM nor a file is never shown', () => {
  test.each([
    ['certificate', 'cert', BODY, 'ENOENT'],
    ['key', 'key', BODY, 'ENOENT'],
    ['bundle', 'bundle', BODY, 'ENOENT'],
    ['key', 'key', BODY.repeat(80), 'ENAMETOOLONG'],
    ['key', 'key', `${BODY}\0`, 'ERR_INVALID_ARG_VALUE'],
    ['key', 'key', `-----BEGIN PRIVATE KEY-----\n${BODY}\n-----END PRIVATE KEY-----\n`, 'is not a readable PEM key'],
    ['certificate', 'cert', `-----BEGIN PRIVATE KEY-----\n${BODY}\n-----END PRIVATE KEY-----\n`, 'holds no PEM certificate'],
  ] as const)('%s (as %s)', async (field, name, value, says) => {
    const error = await failure({ [field]: value });
    expect(describeError(error)).toContain(`authorities["east.example"].${name}`);
    expect(describeError(error)).toContain(says);
    // Everything that a log, a diagnostic or a crash could print of it.
    const whole = [inspect(error, { depth: 9, showHidden: true }), (error as Error).stack, failedOperation('x', error).detail].join('\n');
    expect(whole).not.toContain(BODY.slice(0, 20));
  });

  test('while what is right is taken', async () => {
    const right = await endpoint();
    expect(dialAuthority(EAST, right).target).toBe('dns:192.0.2.1:7400');
  });
});

test('an expired SVID is found before anybody is asked', async () => {
  const expired = await endpoint({}, -1000);
  expect(() => dialAuthority(EAST, expired)).toThrow(
    /^authorities\["east\.example"\]\.cert: cert of spiffe:\/\/east\.example\/symbolon\/admin\/test expired at .*admin-svid/,
  );
});

const GARBAGE = `-----BEGIN CERTIFICATE-----\n${Buffer.from('tippecanoe').toString('base64')}\n-----END CERTIFICATE-----\n`;

test.each<['certificate' | 'bundle', string, string, string]>([
  ['bundle', 'bundle', GARBAGE, 'PEM block 1 of 1 is not a readable X.509 certificate'],
  [
    'bundle',
    'bundle',
    '{"keys":[{"kty":"EC","use":"jwt-svid"}]}',
    'no X.509 authority of east.example that can be used: keys[0] has the use "jwt-svid"',
  ],
  ['bundle', 'bundle', '{"keys":[]}', 'its "keys" are empty'],
  ['certificate', 'cert', GARBAGE, 'PEM block 1 of 1 is not a readable X.509 certificate'],
])('a %s (as %s) with nothing usable is found before anybody is asked, also in a file, which is named', async (field, name, text, says) => {
  const at = `authorities["east.example"].${name}`;
  const given = await failure({ [field]: text });
  expect(describeError(given).startsWith(`${at}: `)).toBe(true);
  expect(describeError(given)).toContain(says);
  const folder = mkdtempSync(join(tmpdir(), 'sy-endpoint-'));
  try {
    const path = join(folder, 'file');
    writeFileSync(path, text);
    const error = await failure({ [field]: path });
    expect(describeError(error)).toContain(`${at} (file ${JSON.stringify(path)}): `);
    expect(describeError(error)).toContain(says);
    expect((error as SymbolonError).context).toEqual({ path: at, value: '' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('a bundle map, as a text', () => {
  const mapOf = (name: string, ca: TestCa): string => `{"trust_domains":{"${name}":${formatBundleJson(ca.bundle)}}}`;

  test('that has the trust domain is taken', async () => {
    const bundle = mapOf('east.example', await TestCa.create('east.example'));
    expect(dialAuthority(EAST, await endpoint({ bundle })).target).toBe('dns:192.0.2.1:7400');
  });

  test('that has others only is refused under the setting’s name', async () => {
    const error = await failure({ bundle: mapOf('west.example', await TestCa.create('west.example')) });
    expect(describeError(error)).toMatch(
      /^authorities\["east\.example"\]\.bundle: the SPIFFE bundle map has no bundle of the trust domain east\.example; it has west\.example;/,
    );
  });
});
