import { expect, test } from '@jest/globals';
import { createPublicKey, generateKeyPairSync, sign, webcrypto } from 'node:crypto';
import { parseSpiffeId } from '#core/spiffe/id';
import { TestCa } from '#core/spiffe/testing/ca';
import { der } from '#core/spiffe/testing/der-writer';
import { createCsr } from './create-csr.ts';
import { verifyCsr } from './csr.ts';
import { x509 } from './webcrypto.ts';

const ID = parseSpiffeId('spiffe://east.example/web');
const hex = (text: string) => Buffer.from(text, 'hex');

type KeyAlgorithm = webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams | { readonly name: 'Ed25519' };

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

/** Signed by node's own cryptography with any kind of key. */
async function csrOf(algorithm: KeyAlgorithm): Promise<Uint8Array> {
  const keys = await webcrypto.subtle.generateKey(algorithm as webcrypto.EcKeyGenParams, false, ['sign', 'verify']);
  const signingAlgorithm = { hash: 'SHA-256', ...algorithm } as webcrypto.EcdsaParams;
  return new Uint8Array((await x509.Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm })).rawData);
}
const rsa = (modulusLength: number, publicExponent = [1, 0, 1]) =>
  csrOf({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength, publicExponent: Uint8Array.from(publicExponent) });

const ECDSA_WITH_SHA256 = hex('300a06082a8648ce3d040302');
const ECDSA_WITH_SHA1 = hex('300906072a8648ce3d0401');
const EXTENSION_REQUEST = hex('06092a864886f70d01090e');
const SUBJECT_ALT_NAME = hex('0603551d11');
const OTHER_OID = hex('06032a0304');

/** Element by element, signed with a new P-256 key. */
function handmade(parts: { version?: string; spki?: Buffer; attributes?: readonly Buffer[]; algorithm?: Buffer } = {}): Buffer {
  const { privateKey } = newKeys();
  const spki = parts.spki ?? createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const attributes = parts.attributes ? [der(0xa0, ...parts.attributes)] : [];
  const info = der(0x30, hex(parts.version ?? '020100'), der(0x30), spki, ...attributes);
  return der(0x30, info, parts.algorithm ?? ECDSA_WITH_SHA256, der(3, Buffer.of(0), Buffer.from(sign('sha256', info, privateKey))));
}
const attribute = (oid: Buffer, ...values: Buffer[]): Buffer => der(0x30, oid, der(0x31, ...values));
const extensionRequest = (...extensions: Buffer[]): Buffer => attribute(EXTENSION_REQUEST, der(0x30, ...extensions));
const extension = (oid: Buffer, value: Buffer = Buffer.alloc(0)): Buffer => der(0x30, oid, der(4, value));
const altNames = (...names: Buffer[]): Buffer => extension(SUBJECT_ALT_NAME, der(0x30, ...names));
const many = <T>(count: number, of: T): T[] => Array.from({ length: count }, () => of);
const uri = (text: string): Buffer => der(0x86, Buffer.from(text));
const dns = (text: string): Buffer => der(0x82, Buffer.from(text));

test('proves its key and says what it asks for', async () => {
  const { publicKey, privateKey } = newKeys();
  const request = verifyCsr(await createCsr(privateKey, ID, ['web.east.example']));
  expect(request).toMatchObject({ uris: [ID], dnsNames: ['web.east.example'] });
  expect(request.publicKey.equals(publicKey)).toBe(true);
});

test.each<[string, () => Promise<Uint8Array> | Uint8Array]>([
  ['P-384', () => csrOf({ name: 'ECDSA', namedCurve: 'P-384' })],
  ['Ed25519', () => csrOf({ name: 'Ed25519' })],
  ['RSA-2048', () => rsa(2048)],
  ['RSA-4096', () => rsa(4096)],
  ['P-256 without attributes at all', () => handmade()],
  ['P-256 with as many attributes as any has', () => handmade({ attributes: many(8, attribute(OTHER_OID, hex('0500'))) })],
  ['P-256 with as many extensions as any has', () => handmade({ attributes: [extensionRequest(...many(16, extension(OTHER_OID)))] })],
])('for %s is taken', async (_kind, make) => {
  expect(verifyCsr(await make())).toMatchObject({ uris: [], dnsNames: [] });
});

// Written by Go's x509.CreateCertificateRequest, as SPIRE's agent and `spire-server x509 mint` do, and by `openssl req`.
test.each<[string, string, object]>([
  [
    'of SPIRE’s agent',
    '3081d7307f020100301d310b3009060355040613025553310e300c060355040a130553504952453059301306072a8648ce3d020106082a8648ce3d03010703420004e2d0bb2baad826a6282e588e23d24b542b290b7e66120f44d3e7d2995e2b63851aa967cfc8a179c2bbbaaca9b9fda122ce235af3f99a5481703cbddff972f3eda000300a06082a8648ce3d0403020348003045022100f289121140b039b9eb22f007d58c3cc302e0f50b7fff6d8a86a5f8a7c32ad4ff022069bffc3bbef1be88d3355d7ab9d0dbb5c57ed83da71bb725810e787c7520ef7b',
    { uris: [], dnsNames: [] },
  ],
  [
    'of spire-server x509 mint',
    '3082011b3081c3020100301d310b3009060355040613025553310e300c060355040a130553504952453059301306072a8648ce3d020106082a8648ce3d03010703420004e2d0bb2baad826a6282e588e23d24b542b290b7e66120f44d3e7d2995e2b63851aa967cfc8a179c2bbbaaca9b9fda122ce235af3f99a5481703cbddff972f3eda044304206092a864886f70d01090e3135303330310603551d11042a3028820b7765622e6578616d706c6586197370696666653a2f2f656173742e6578616d706c652f776562300a06082a8648ce3d04030203470030440220189a8cd8d2cfbf6e654e797561c03842b9763fe34682a1fa0a89471a7dae66dd022065ae4e7d6d8312206c45201b1d3a75f9bcdda5b29b3d0583a1dc46ab1adc6f6e',
    { uris: ['spiffe://east.example/web'], dnsNames: ['web.example'] },
  ],
  [
    'of openssl req, P-384 signed with SHA-256',
    '3082010330818b020100300c310a300806035504030c01783076301006072a8648ce3d020106052b8104002203620004ec6147b39b2ef1b1c3c40bccafaae9e5bce5828fba524e68ceaaacca20a271a36e23c1b0fb137321b10fc1f005c80fb94e3cdfc1ad6fe859808f34d36966175b50e95cb0131f71bc3bf94e6ce7e24f74724d996b0a59e0bc724cabf5f33ca28ea000300a06082a8648ce3d040302036700306402300853661f9d25221edf1a5a9e66d6ed1816656c14c4364c2260ae696cf443748083141058423c638e79d9fb40fd8dcaab0230151936faa9a538ea4cf24829b057bdf8573ab8e9f2974d2ac72c1a49f509ebbbf215a592ffeec10e6ca13ae0ac0168d7',
    { uris: [], dnsNames: [] },
  ],
])('%s is taken', (_of, text, names) => {
  expect(verifyCsr(hex(text))).toMatchObject(names);
});

test('names of other kinds are passed over', () => {
  const names = altNames(der(0x87, Buffer.of(10, 0, 0, 1)), dns('a.example'), uri(ID), der(0xa4, der(0x30)), dns('b.example'));
  expect(verifyCsr(handmade({ attributes: [extensionRequest(extension(OTHER_OID), names)] }))).toMatchObject({
    uris: [ID],
    dnsNames: ['a.example', 'b.example'],
  });
});

const P256_EXPLICIT = der(0x30, hex('06072a8648ce3d0201'), der(0x30, hex('020101'), der(0x30, hex('06072a8648ce3d0101'), hex('020103'))));

test.each<[string, () => Promise<Uint8Array> | Uint8Array, string]>([
  ['nothing', () => new Uint8Array(), 'missing'],
  ['no DER', () => Buffer.from('hello'), 'der'],
  ['a certificate', async () => (await TestCa.create()).der, 'der'],
  ['bytes after its end', () => Buffer.concat([handmade(), Buffer.of(0)]), 'der'],
  ['another version', () => handmade({ version: '020101' }), 'der'],
  ['100 kB', () => new Uint8Array(100_000), 'size'],
  ['1700 empty extensions', () => handmade({ attributes: [extensionRequest(...many(1700, extension(OTHER_OID)))] }), 'size'],
  ['one byte too many', () => new Uint8Array(4097), 'size'],
  ['17 extensions', () => handmade({ attributes: [extensionRequest(...many(17, extension(OTHER_OID)))] }), 'extensions'],
  ['names twice', () => handmade({ attributes: [extensionRequest(altNames(uri('a:b')), altNames(uri('c:d')))] }), 'extensions'],
  ['9 attributes', () => handmade({ attributes: many(9, attribute(OTHER_OID, hex('0500'))) }), 'attributes'],
  ['extensions twice', () => handmade({ attributes: many(2, extensionRequest()) }), 'attributes'],
  ['a signature algorithm that is not allowed', () => handmade({ algorithm: ECDSA_WITH_SHA1 }), 'signature'],
  ['a curve with parameters of its own', () => handmade({ spki: der(0x30, P256_EXPLICIT, hex('03020004')) }), 'key'],
  [
    'a point that is not on its curve',
    () => handmade({ spki: der(0x30, hex('301306072a8648ce3d020106082a8648ce3d030107'), der(3, Buffer.alloc(66, 4).fill(0, 0, 1))) }),
    'key',
  ],
  ['P-521', () => csrOf({ name: 'ECDSA', namedCurve: 'P-521' }), 'key'],
  ['RSA-1024', () => rsa(1024), 'key'],
  ['an RSA exponent of 3', () => rsa(2048, [3]), 'key'],
  [
    'a signature by another key',
    async () => {
      const csr = Buffer.from(await createCsr(newKeys().privateKey, ID));
      const other = Buffer.from(await createCsr(newKeys().privateKey, ID));
      // The part that is signed begins like the other's: only the key (and so the signature) differs.
      const spkiAt = csr.indexOf(hex('2a8648ce3d030107')) + 12;
      other.copy(csr, spkiAt, spkiAt, spkiAt + 64);
      return csr;
    },
    'signature',
  ],
])('of %s is refused', async (_kind, make, rule) => {
  const csr = await make();
  expect(() => verifyCsr(csr)).toThrow(expect.objectContaining({ code: 'CSR_INVALID', context: { rule } }));
});
