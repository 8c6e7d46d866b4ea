import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { addMs } from '#core/time/instant';
import { KEY_USAGE } from './extensions.ts';
import { CLIENT_AUTH, SERVER_AUTH } from './leaf.ts';
import { TEST_NOW, TestCa, type TestCertificate } from './testing/ca.ts';
import { createSvidVerifier, MAX_CHAIN_LENGTH, verifyX509Svid } from './verify.ts';

const HOUR = 3_600_000;
const EMAIL_PROTECTION = '1.3.6.1.5.5.7.3.4';
const { digitalSignature, keyCertSign, crlSign } = KEY_USAGE;
const KEY_ENCIPHERMENT = 1 << 2;

let ca: TestCa;
let west: TestCa;
beforeAll(async () => {
  ca = await TestCa.create('east.example');
  west = await TestCa.create('west.example');
});

async function verifyLeaf(fields: TestCertificate, path = '/web'): Promise<string> {
  return (await ca.issue(path, fields)).verified().id;
}

describe('leaf rules, accepted', () => {
  test.each<[string, TestCertificate]>([
    ['X8 one SPIFFE ID with a path, no cA, a key usage that signs no certificates', {}],
    ['X1 one URI name beside names of other kinds', { dnsNames: ['web.internal', 'www.internal'] }],
    ['X2 an empty subject with critical names', { subject: '', sanCritical: true }],
    ['X2 a subject with names that are not critical', { subject: 'CN=web', sanCritical: false }],
    ['X4 no basic constraints', { isCa: null }],
    ['X4 basic constraints that say no CA', { isCa: false }],
    ['X5 digitalSignature with keyEncipherment', { keyUsage: digitalSignature | KEY_ENCIPHERMENT }],
    ['X6 no extended key usage', { extendedKeyUsage: null }],
    ['X6 both usages and another', { extendedKeyUsage: [EMAIL_PROTECTION, CLIENT_AUTH, SERVER_AUTH] }],
    ['a P-384 key', { keyKind: 'p384' }],
    ['an RSA key', { keyKind: 'rsa2048' }],
    ['an Ed25519 key', { keyKind: 'ed25519' }],
    ['an unknown extension that is not critical', { extensions: [['1.2.3.4', false, Buffer.from('0500', 'hex')]] }],
    ['no key identifiers', { noKeyIds: true }],
  ])('%s', async (_, fields) => {
    expect(await verifyLeaf(fields)).toBe('spiffe://east.example/web');
  });
});

describe('leaf rules, rejected', () => {
  test.each<[string, string, TestCertificate]>([
    ['X1 no URI name', 'X1', { uris: [], dnsNames: ['web.internal'] }],
    ['X1 no names at all', 'X1', { uris: [] }],
    ['X1 two URI names', 'X1', { uris: ['spiffe://east.example/web', 'spiffe://east.example/batch'] }],
    ['X1 twice the same URI name', 'X1', { uris: ['spiffe://east.example/web', 'spiffe://east.example/web'] }],
    ['X1 a SPIFFE ID and another URI', 'X1', { uris: ['spiffe://east.example/web', 'https://east.example/web'] }],
    ['X8 another scheme', 'X1', { uris: ['https://east.example/web'] }],
    ['ID2 an upper-case trust domain', 'X1', { uris: ['spiffe://East.example/web'] }],
    ['ID3 a relative path', 'X1', { uris: ['spiffe://east.example/a/../web'] }],
    ['X2 no path', 'X2', { uris: ['spiffe://east.example'] }],
    ['X2 an empty subject with names that are not critical', 'X2', { subject: '', sanCritical: false }],
    ['X4 cA', 'X4', { isCa: true }],
    ['X5 no key usage', 'X5', { keyUsage: null }],
    ['X5 key usage not critical', 'X5', { keyUsageCritical: false }],
    ['X5 no digitalSignature', 'X5', { keyUsage: KEY_ENCIPHERMENT }],
    ['X5 keyCertSign', 'X5', { keyUsage: digitalSignature | keyCertSign }],
    ['X5 cRLSign', 'X5', { keyUsage: digitalSignature | crlSign }],
    ['X6 serverAuth only', 'X6', { extendedKeyUsage: [SERVER_AUTH] }],
    ['X6 clientAuth only', 'X6', { extendedKeyUsage: [CLIENT_AUTH] }],
    ['X6 any usage', 'X6', { extendedKeyUsage: ['2.5.29.37.0'] }],
    ['a node ID that is no SPIFFE ID', 'issued-to-node', { issuedToNode: 'east-1' }],
    ['a node of another trust domain', 'issued-to-node', { issuedToNode: 'spiffe://west.example/symbolon/node/west-1' }],
  ])('%s', async (_, rule, fields) => {
    await expect(verifyLeaf(fields)).rejects.toMatchObject({ code: 'SVID_INVALID', context: { rule } });
  });

  test.each<[string, string, TestCertificate]>([
    ['an unknown critical extension', 'extension-unknown', { extensions: [['1.2.3.4', true, Buffer.from('0500', 'hex')]] }],
    ['a repeated extension', 'extension-repeated', { extensions: [['2.5.29.15', true, Buffer.from('03020780', 'hex')]] }],
    ['a key on a curve that is not allowed', 'public-key', { keyKind: 'p521' }],
    ['an RSA key of 1024 bits', 'public-key', { keyKind: 'rsa1024' }],
    ['a serial number of 21 bytes', 'serial', { serialNumber: `7f${'00'.repeat(20)}` }],
    ['more than 16 KiB', 'size', { extensions: [['1.2.3.4', false, Buffer.alloc(17_000)]] }],
  ])('%s', async (_, rule, fields) => {
    await expect(verifyLeaf(fields)).rejects.toMatchObject({ code: 'CERTIFICATE_INVALID', context: { rule } });
  });

  test('an RSA key of more than 8192 bits', async () => {
    // A product of two primes is not needed: only its size is looked at.
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = publicKey.export({ format: 'jwk' });
    const n = Buffer.alloc(1025, 0xff).toString('base64url');
    const { createPublicKey } = await import('node:crypto');
    const large = createPublicKey({ key: { ...jwk, n }, format: 'jwk' });
    await expect(verifyLeaf({ publicKey: large })).rejects.toMatchObject({ code: 'CERTIFICATE_INVALID', context: { rule: 'public-key' } });
  });
});

describe('validity', () => {
  const notBefore = addMs(TEST_NOW, -HOUR);
  const notAfter = addMs(TEST_NOW, HOUR);
  test.each([
    ['its first moment', 0, true],
    ['its last moment', 2 * HOUR, true],
    ['a moment before', -1, false],
    ['a moment after', 2 * HOUR + 1, false],
  ])('X7 a leaf at %s', async (_, offset, valid) => {
    const web = await ca.issue('/web', { notBefore, notAfter });
    const verify = () => verifyX509Svid(web.chain, ca.bundles, addMs(notBefore, offset));
    if (valid) expect(verify()).toMatchObject({ notBefore, notAfter });
    else expect(verify).toThrow(expect.objectContaining({ code: 'SVID_EXPIRED' }));
  });

  test('X7 validity is that of the whole path', async () => {
    const root = await TestCa.create('east.example', { notAfter: addMs(TEST_NOW, 3 * HOUR) });
    const lower = await root.intermediate({ notBefore: addMs(TEST_NOW, -1000), notAfter: addMs(TEST_NOW, 2 * HOUR) });
    const svid = (await lower.issue('/web')).verified();
    expect(svid).toMatchObject({ notBefore: addMs(TEST_NOW, -1000), notAfter: addMs(TEST_NOW, 2 * HOUR) });
  });

  test.each<[string, TestCertificate]>([
    ['expired', { notBefore: addMs(TEST_NOW, -3 * HOUR), notAfter: addMs(TEST_NOW, -1000) }],
    ['not yet valid', { notBefore: addMs(TEST_NOW, 1000) }],
  ])('X7 an authority or intermediate that is %s', async (_, fields) => {
    const root = await TestCa.create('east.example', fields);
    const lower = await ca.intermediate(fields);
    await expect(root.issue('/web').then((web) => web.verified())).rejects.toMatchObject({ code: 'SVID_EXPIRED' });
    await expect(lower.issue('/web').then((web) => web.verified())).rejects.toMatchObject({ code: 'SVID_EXPIRED' });
  });
});

describe('signing certificates', () => {
  test.each<[string, TestCertificate]>([
    ['X3 a CA without a SPIFFE ID', { uris: [] }],
    ['X3 a CA with the trust domain’s ID', { uris: ['spiffe://east.example'] }],
    ['X5 keyCertSign alone', { keyUsage: keyCertSign }],
    ['X7 usages that cover those of a leaf', { extendedKeyUsage: [SERVER_AUTH, CLIENT_AUTH] }],
    ['X7 any usage', { extendedKeyUsage: ['2.5.29.37.0'] }],
    ['X7 an RSA key', { keyKind: 'rsa2048' }],
    ['X7 a P-384 key with SHA-384', { keyKind: 'p384' }],
    ['X7 an Ed25519 key', { keyKind: 'ed25519' }],
  ])('accepted as intermediate and as authority: %s', async (_, fields) => {
    const lower = await ca.intermediate(fields);
    const root = await TestCa.create('east.example', fields);
    const issue = fields.keyKind === 'p384' ? { hash: 'SHA-384' } : {};
    expect((await lower.issue('/web', issue)).verified().id).toBe('spiffe://east.example/web');
    expect((await root.issue('/web', issue)).verified().id).toBe('spiffe://east.example/web');
  });

  test.each<[string, string, TestCertificate]>([
    ['X3 an ID with a path', 'X3', { uris: ['spiffe://east.example/ca'] }],
    ['X3 an ID of another trust domain', 'X3', { uris: ['spiffe://west.example'] }],
    ['X3 a URI that is no SPIFFE ID', 'X3', { uris: ['https://east.example'] }],
    ['X1 two URI names', 'X1', { uris: ['spiffe://east.example', 'spiffe://west.example'] }],
    ['X4 cA false', 'X4', { isCa: false }],
    ['X4 no basic constraints', 'X4', { isCa: null }],
    ['X5 no key usage', 'X5', { keyUsage: null }],
    ['X5 key usage not critical', 'X5', { keyUsageCritical: false }],
    ['X5 no keyCertSign', 'X5', { keyUsage: crlSign }],
    ['X7 usages that do not cover those of a leaf', 'X7', { extendedKeyUsage: [SERVER_AUTH] }],
  ])('rejected as intermediate and as authority: %s', async (_, rule, fields) => {
    const lower = await ca.intermediate(fields);
    await expect(lower.issue('/web').then((web) => web.verified())).rejects.toMatchObject({ code: 'SVID_UNTRUSTED', context: { rule } });
    const root = await TestCa.create('east.example', fields);
    // An authority that cannot be used is as good as none.
    await expect(root.issue('/web').then((web) => web.verified())).rejects.toMatchObject({
      code: 'SVID_UNTRUSTED',
      context: { rule: 'B4' },
    });
  });
});

describe('paths', () => {
  const refused = (chain: readonly Uint8Array[], bundles = ca.bundles) =>
    expect(() => verifyX509Svid(chain, bundles, TEST_NOW)).toThrow(expect.objectContaining({ code: 'SVID_UNTRUSTED' }));

  async function chainOfCas(count: number, fields: TestCertificate = {}): Promise<TestCa> {
    let lowest = ca;
    for (let i = 0; i < count; i++) lowest = await lowest.intermediate(fields);
    return lowest;
  }

  test('four intermediates are accepted, five are not', async () => {
    expect((await (await chainOfCas(4)).issue('/web')).verified().chain).toHaveLength(MAX_CHAIN_LENGTH);
    const five = await (await chainOfCas(5)).issue('/web');
    expect(() => five.verified()).toThrow(expect.objectContaining({ code: 'SVID_INVALID', context: { rule: 'chain' } }));
  });

  test('an empty chain', () => {
    expect(() => verifyX509Svid([], ca.bundles, TEST_NOW)).toThrow(expect.objectContaining({ code: 'SVID_INVALID' }));
  });

  test('X7 a chain may end with its authority', async () => {
    const web = await (await ca.intermediate()).issue('/web');
    expect(verifyX509Svid([...web.chain, ca.der], ca.bundles, TEST_NOW).id).toBe(web.id);
  });

  test('X7 an intermediate may be an authority itself', async () => {
    const lower = await ca.intermediate();
    const web = await lower.issue('/web');
    const bundles = new Map([[ca.trustDomain, { ...ca.bundle, authorities: [{ der: lower.der }] }]]);
    expect(verifyX509Svid(web.chain, bundles, TEST_NOW).id).toBe(web.id);
    expect(verifyX509Svid(web.chain.slice(0, 1), bundles, TEST_NOW).id).toBe(web.id);
  });

  test('X7 a chain in another order, or with a link missing', async () => {
    const web = await (await chainOfCas(2)).issue('/web');
    const [leaf, lower, upper] = web.chain as [Uint8Array, Uint8Array, Uint8Array];
    refused([leaf, upper, lower]);
    refused([leaf, upper]);
    refused([leaf]);
  });

  test('X7 a CA of the same name with another key', async () => {
    const subject = 'O=symbolon test,CN=same';
    const real = await TestCa.create('east.example', { subject, noKeyIds: true });
    const forged = await TestCa.create('east.example', { subject, noKeyIds: true });
    const web = await forged.issue('/web', { noKeyIds: true });
    refused(web.chain, real.bundles);
    refused([...web.chain, forged.der], real.bundles);
    // A rotation without key identifiers: the one whose key verifies is the issuer.
    const both = new Map([[real.trustDomain, { ...real.bundle, authorities: [{ der: real.der }, { der: forged.der }] }]]);
    expect(verifyX509Svid(web.chain, both, TEST_NOW).id).toBe(web.id);
  });

  test('X7 path length constraints', async () => {
    const none = await ca.intermediate({ maxPathLength: 0 });
    expect((await none.issue('/web')).verified().id).toBe('spiffe://east.example/web');
    refused((await (await none.intermediate()).issue('/web')).chain);
    const one = await (await ca.intermediate({ maxPathLength: 1 })).intermediate();
    expect((await one.issue('/web')).verified().id).toBe('spiffe://east.example/web');
    refused((await (await one.intermediate()).issue('/web')).chain);
    const root = await TestCa.create('east.example', { maxPathLength: 0 });
    refused((await (await root.intermediate()).issue('/web')).chain, root.bundles);
  });

  test('X7 a self-issued intermediate does not count against a path length', async () => {
    const subject = 'O=symbolon test,CN=rolled over';
    const root = await TestCa.create('east.example', { subject, maxPathLength: 0 });
    const renewed = await root.intermediate({ subject });
    expect((await renewed.issue('/web')).verified().chain).toHaveLength(2);
    // What is below it counts as if it were not there.
    refused((await (await renewed.intermediate()).issue('/web')).chain, root.bundles);
    const roomy = await TestCa.create('east.example', { subject, maxPathLength: 1 });
    const below = await (await roomy.intermediate({ subject })).intermediate();
    expect((await below.issue('/web')).verified().chain).toHaveLength(3);
    refused((await (await below.intermediate()).issue('/web')).chain, roomy.bundles);
  });

  test('X3 a CA never authenticates, neither an authority nor an intermediate', async () => {
    const lower = await ca.intermediate();
    for (const chain of [[ca.der], [lower.der], [lower.der, ca.der]]) {
      expect(() => verifyX509Svid(chain, ca.bundles, TEST_NOW)).toThrow(
        expect.objectContaining({ code: 'SVID_INVALID', context: expect.objectContaining({ rule: 'X2' }) }),
      );
    }
    const nameless = await ca.intermediate({ uris: [] });
    expect(() => verifyX509Svid([nameless.der], ca.bundles, TEST_NOW)).toThrow(
      expect.objectContaining({ code: 'SVID_INVALID', context: expect.objectContaining({ rule: 'X1' }) }),
    );
    // Nor one that calls itself a workload.
    const posing = await ca.intermediate({ uris: ['spiffe://east.example/web'] });
    expect(() => verifyX509Svid([posing.der], ca.bundles, TEST_NOW)).toThrow(
      expect.objectContaining({ code: 'SVID_INVALID', context: expect.objectContaining({ rule: 'X4' }) }),
    );
  });

  const nameConstraints = (...trees: readonly string[]): NonNullable<TestCertificate['extensions']> => {
    const tlv = (tag: number, body: Uint8Array): Buffer => Buffer.concat([Buffer.of(tag, body.length), body]);
    const subtrees = Buffer.concat(trees.slice(1).map((host) => tlv(0x30, tlv(host.includes('@') ? 0x81 : 0x86, Buffer.from(host)))));
    return [['2.5.29.30', true, tlv(0x30, tlv(trees[0] === 'permitted' ? 0xa0 : 0xa1, subtrees))]];
  };
  test.each<[string, boolean, readonly string[]]>([
    ['the very trust domain permitted', true, ['permitted', 'east.example']],
    ['names below permitted', true, ['permitted', 'west.example', '.example']],
    ['another trust domain permitted', false, ['permitted', 'west.example']],
    ['only names below the trust domain permitted', false, ['permitted', '.east.example']],
    ['another trust domain excluded', true, ['excluded', 'west.example']],
    ['the trust domain excluded', false, ['excluded', 'east.example']],
    ['all names above excluded', false, ['excluded', '.example']],
    ['a constraint on mail addresses, which bind subjects too', false, ['permitted', 'a@example']],
  ])('X7 name constraints: %s', async (_, accepted, trees) => {
    const extensions = nameConstraints(...trees);
    const root = await TestCa.create('east.example', { extensions });
    const direct = await root.issue('/web');
    const below = await (await root.intermediate({ uris: [] })).issue('/web');
    const beneathIntermediate = await (await ca.intermediate({ extensions })).issue('/web');
    for (const web of [direct, below, beneathIntermediate]) {
      if (accepted) expect(web.verified().id).toBe(web.id);
      else
        expect(() => web.verified()).toThrow(
          expect.objectContaining({ code: 'SVID_UNTRUSTED', context: expect.objectContaining({ rule: 'X7' }) }),
        );
    }
  });
});

describe('trust domains', () => {
  test('W8 no bundle of the trust domain', async () => {
    const web = await ca.issue('/web');
    expect(() => verifyX509Svid(web.chain, west.bundles, TEST_NOW)).toThrow(expect.objectContaining({ code: 'BUNDLE_MISSING' }));
  });

  test('F2 a CA of another trust domain mints our IDs', async () => {
    const forged = await west.issue('/x', { uris: ['spiffe://east.example/web'] });
    const bundles = new Map([...ca.bundles, ...west.bundles]);
    expect(() => verifyX509Svid(forged.chain, bundles, TEST_NOW)).toThrow(expect.objectContaining({ code: 'SVID_UNTRUSTED' }));
    expect(() => verifyX509Svid([...forged.chain, west.der], bundles, TEST_NOW)).toThrow(
      expect.objectContaining({ code: 'SVID_UNTRUSTED' }),
    );
  });

  test('ID5 an SVID that is signed by its own key, and by no authority', async () => {
    const leaf: TestCertificate = { uris: ['spiffe://east.example/web'], isCa: false, keyUsage: digitalSignature };
    const own = await TestCa.create('east.example', leaf);
    for (const chain of [[own.der], [own.der, own.der], [own.der, ca.der]]) {
      expect(() => verifyX509Svid(chain, ca.bundles, TEST_NOW)).toThrow(expect.objectContaining({ code: 'SVID_UNTRUSTED' }));
    }
    // Not even if it is in the bundle: it is no authority.
    expect(() => verifyX509Svid([own.der], own.bundles, TEST_NOW)).toThrow(
      expect.objectContaining({ code: 'SVID_UNTRUSTED', context: expect.objectContaining({ rule: 'B4' }) }),
    );
    expect((await ca.issue('/web', leaf)).verified().id).toBe('spiffe://east.example/web');
  });

  test('F2 a bundle that is filed under another name is no bundle', async () => {
    const web = await ca.issue('/web');
    const misfiled = new Map([[ca.trustDomain, { ...ca.bundle, trustDomain: west.trustDomain }]]);
    expect(() => verifyX509Svid(web.chain, misfiled, TEST_NOW)).toThrow(expect.objectContaining({ code: 'BUNDLE_MISSING' }));
  });

  test('B4 a bundle without authorities makes every SVID invalid', async () => {
    const web = await ca.issue('/web');
    const empty = new Map([[ca.trustDomain, { ...ca.bundle, authorities: [] }]]);
    expect(() => verifyX509Svid(web.chain, empty, TEST_NOW)).toThrow(
      expect.objectContaining({ context: expect.objectContaining({ rule: 'B4' }) }),
    );
  });

  test('an authority that cannot be read does not disturb the others', async () => {
    const web = await ca.issue('/web');
    const authorities = [{ der: Buffer.from('rubbish') }, ...ca.bundle.authorities];
    expect(verifyX509Svid(web.chain, new Map([[ca.trustDomain, { ...ca.bundle, authorities }]]), TEST_NOW).id).toBe(web.id);
  });
});

describe('createSvidVerifier', () => {
  test('gives what the plain function gives, and the same object the second time', async () => {
    const verifier = createSvidVerifier();
    const web = await (await ca.intermediate()).issueWorkload('/web', 'east-1');
    const svid = verifier.verify(web.chain, ca.bundles, TEST_NOW);
    const plain = verifyX509Svid(web.chain, ca.bundles, TEST_NOW);
    expect({ ...svid, publicKey: undefined }).toEqual({ ...plain, publicKey: undefined });
    expect(svid.publicKey.equals(plain.publicKey)).toBe(true);
    expect(
      verifier.verify(
        web.chain.map((der) => Buffer.from(der)),
        ca.bundles,
        TEST_NOW,
      ),
    ).toBe(svid);
  });

  test('forgets when the bundle is replaced', async () => {
    const verifier = createSvidVerifier();
    const web = await (await ca.intermediate()).issue('/web');
    verifier.verify(web.chain, ca.bundles, TEST_NOW);
    const other = await TestCa.create('east.example');
    expect(() => verifier.verify(web.chain, other.bundles, TEST_NOW)).toThrow(expect.objectContaining({ code: 'SVID_UNTRUSTED' }));
    expect(() => verifier.verify(web.chain, west.bundles, TEST_NOW)).toThrow(expect.objectContaining({ code: 'BUNDLE_MISSING' }));
  });

  test('looks at the time again', async () => {
    const verifier = createSvidVerifier();
    const lower = await ca.intermediate({ notAfter: addMs(TEST_NOW, HOUR) });
    const web = await lower.issue('/web');
    verifier.verify(web.chain, ca.bundles, TEST_NOW);
    expect(() => verifier.verify(web.chain, ca.bundles, addMs(TEST_NOW, 2 * HOUR))).toThrow(
      expect.objectContaining({ code: 'SVID_EXPIRED' }),
    );
  });

  test('a remembered intermediate vouches for nothing that it has not signed', async () => {
    const verifier = createSvidVerifier();
    const lower = await ca.intermediate();
    const web = await lower.issue('/web');
    verifier.verify(web.chain, ca.bundles, TEST_NOW);
    const forged = await (await TestCa.create('east.example')).issue('/payments', {
      issuer: new X509Certificate(lower.der).subject,
      noKeyIds: true,
    });
    expect(() => verifier.verify([forged.chain[0] as Uint8Array, lower.der], ca.bundles, TEST_NOW)).toThrow(
      expect.objectContaining({ code: 'SVID_UNTRUSTED' }),
    );
  });

  test('its memory is bounded', async () => {
    const verifier = createSvidVerifier({ chains: 1, intermediates: 1 });
    const [a, b] = [await (await ca.intermediate()).issue('/a'), await (await ca.intermediate()).issue('/b')];
    const first = verifier.verify(a.chain, ca.bundles, TEST_NOW);
    verifier.verify(b.chain, ca.bundles, TEST_NOW);
    const again = verifier.verify(a.chain, ca.bundles, TEST_NOW);
    expect(again).not.toBe(first);
    expect(again.id).toBe(a.id);
  });
});
