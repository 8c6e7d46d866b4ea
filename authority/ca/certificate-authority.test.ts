import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSpiffeId, parseTrustDomain } from '#core/spiffe/id';
import { verifyX509Svid } from '#core/spiffe/verify';
import { addMs, instantFromMs } from '#core/time/instant';
import { openCertificateAuthority } from './certificate-authority.ts';
import { issueSvid } from './issue.ts';

const EAST = parseTrustDomain('east.example');
const NOW = instantFromMs(Date.UTC(2026, 5, 1, 12));
const YEAR_MS = 365 * 24 * 3600 * 1000;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sy-ca-'));
  path = join(folder, 'ca.pem');
});
afterEach(() => rmSync(folder, { recursive: true }));

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

describe('the CA', () => {
  test('is made once, its key for nobody else to read, and is the same when opened again', async () => {
    const made = await openCertificateAuthority(path, EAST, NOW);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const opened = await openCertificateAuthority(path, EAST, addMs(NOW, YEAR_MS));
    expect(opened.bundle).toEqual(made.bundle);
    expect(opened.signingKey.extractable).toBe(false);
  });

  test.each<[string, () => void, RegExp]>([
    ['of another trust domain', () => undefined, /not one of the trust domain west.example/],
    ['cut short', () => writeFileSync(path, readFileSync(path).subarray(0, 700)), /cannot be read/],
    ['without its certificate', () => writeFileSync(path, newKeys().privateKey.export({ format: 'pem', type: 'pkcs8' })), /cannot be read/],
    [
      'with another key',
      () => {
        const certificate = readFileSync(path, 'utf8').split('-----BEGIN PRIVATE KEY')[0] ?? '';
        writeFileSync(path, certificate + newKeys().privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
      },
      /a key that is not its certificate/,
    ],
  ])('%s is refused, never replaced', async (kind, damage, text) => {
    await openCertificateAuthority(path, EAST, NOW);
    damage();
    const before = readFileSync(path);
    const domain = kind === 'of another trust domain' ? parseTrustDomain('west.example') : EAST;
    await expect(openCertificateAuthority(path, domain, NOW)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(text),
    });
    expect(readFileSync(path)).toEqual(before);
  });

  test('that has expired is refused', async () => {
    await openCertificateAuthority(path, EAST, NOW);
    await expect(openCertificateAuthority(path, EAST, addMs(NOW, 10 * YEAR_MS))).rejects.toThrow(/ended at/);
  });
});

describe('an SVID', () => {
  test('passes verification, begins 10 s early, and names its node', async () => {
    const ca = await openCertificateAuthority(path, EAST, NOW);
    const spec = {
      id: parseSpiffeId('spiffe://east.example/web'),
      publicKey: newKeys().publicKey,
      ttlSeconds: 60,
      issuedToNode: parseSpiffeId(`spiffe://east.example/symbolon/node/${'n'.repeat(63)}`),
    };
    const { chain, serialNumber, notAfter } = await issueSvid(ca, spec, NOW);
    const svid = verifyX509Svid(chain, new Map([[EAST, ca.bundle]]), NOW);
    expect(svid).toMatchObject({ id: spec.id, issuedToNode: spec.issuedToNode, serialNumber, notAfter });
    expect(svid.notBefore).toBe(addMs(NOW, -10_000));
    expect(notAfter).toBe(addMs(NOW, 60_000));
  });

  test('ends with the CA at the latest', async () => {
    const ca = await openCertificateAuthority(path, EAST, NOW);
    const spec = { id: parseSpiffeId('spiffe://east.example/web'), publicKey: newKeys().publicKey, ttlSeconds: 3600 };
    expect((await issueSvid(ca, spec, addMs(ca.notAfter, -1000))).notAfter).toBe(ca.notAfter);
  });
});
