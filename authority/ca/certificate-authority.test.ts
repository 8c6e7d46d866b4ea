import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSpiffeId, parseTrustDomain } from '#core/spiffe/id';
import { verifyX509Svid } from '#core/spiffe/verify';
import { addMs, instantFromMs } from '#core/time/instant';
import { openCertificateAuthority } from './certificate-authority.ts';
import { createCsr } from './create-csr.ts';
import { verifyCsr } from './csr.ts';
import { issueSvid } from './issue.ts';
import { x509 } from './webcrypto.ts';

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

type KeyAlgorithm = webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams | { readonly name: 'Ed25519' };

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

describe('a certification request', () => {
  const ID = parseSpiffeId('spiffe://east.example/web');
  /** Signed by node's own cryptography with any kind of key. */
  const csrOf = async (algorithm: KeyAlgorithm): Promise<Uint8Array> => {
    const keys = await webcrypto.subtle.generateKey(algorithm as webcrypto.EcKeyGenParams, false, ['sign', 'verify']);
    const signingAlgorithm = { hash: 'SHA-256', ...algorithm } as webcrypto.EcdsaParams;
    return new Uint8Array((await x509.Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm })).rawData);
  };
  const rsa = (modulusLength: number, publicExponent = [1, 0, 1]) =>
    csrOf({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength, publicExponent: Uint8Array.from(publicExponent) });

  test('proves its key and says what it asks for', async () => {
    const { publicKey, privateKey } = newKeys();
    const request = await verifyCsr(await createCsr(privateKey, ID));
    expect(request.uris).toEqual([ID]);
    expect(request.publicKey.equals(publicKey)).toBe(true);
  });

  test.each<[string, () => Promise<Uint8Array>]>([
    ['P-384', () => csrOf({ name: 'ECDSA', namedCurve: 'P-384' })],
    ['Ed25519', () => csrOf({ name: 'Ed25519' })],
    ['RSA-2048', () => rsa(2048)],
  ])('for %s is taken', async (_kind, make) => {
    await expect(verifyCsr(await make())).resolves.toMatchObject({ uris: [] });
  });

  test.each<[string, () => Promise<Uint8Array>, string]>([
    ['nothing', async () => new Uint8Array(), 'missing'],
    ['no DER', async () => Buffer.from('hello'), 'der'],
    ['a certificate', async () => Buffer.from((await openCertificateAuthority(path, EAST, NOW)).certificate.rawData), 'der'],
    ['100 kB', async () => new Uint8Array(100_000), 'size'],
    ['P-521', () => csrOf({ name: 'ECDSA', namedCurve: 'P-521' }), 'key'],
    ['RSA-1024', () => rsa(1024), 'key'],
    ['an RSA exponent of 3', () => rsa(2048, [3]), 'key'],
    [
      'a signature by another key',
      async () => {
        const csr = Buffer.from(await createCsr(newKeys().privateKey, ID));
        const other = Buffer.from(await createCsr(newKeys().privateKey, ID));
        // The part that is signed begins like the other's: only the key (and so the signature) differs.
        const spkiAt = csr.indexOf(Buffer.from('2a8648ce3d030107', 'hex')) + 12;
        other.copy(csr, spkiAt, spkiAt, spkiAt + 64);
        return csr;
      },
      'signature',
    ],
  ])('of %s is refused', async (_kind, make, rule) => {
    await expect(verifyCsr(await make())).rejects.toMatchObject({ code: 'CSR_INVALID', context: { rule } });
  });
});
