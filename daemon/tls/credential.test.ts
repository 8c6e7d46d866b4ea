import { beforeAll, expect, test } from '@jest/globals';
import { certificatesToPem } from '#core/spiffe/pem';
import { TestCa } from '#core/spiffe/testing/ca';
import { credentialFromPem, type TlsCredential, tlsIdentity } from './credential.ts';

let one: TlsCredential;
let two: TlsCredential;
beforeAll(async () => {
  const ca = await TestCa.create();
  [one, two] = [await ca.issueNode('east-1'), await ca.issueNode('east-2')];
});

const pemOf = (credential: TlsCredential) => tlsIdentity(credential) as { cert: string; key: string };

test('PEM texts that belong together are a credential', () => {
  const { chain, privateKey } = credentialFromPem(pemOf(one).cert, pemOf(one).key);
  expect(chain.map((der) => Buffer.from(der))).toEqual(one.chain.map((der) => Buffer.from(der)));
  expect(privateKey.equals(one.privateKey)).toBe(true);
});

test.each([
  ["another certificate's key", () => [pemOf(one).cert, pemOf(two).key], 'is not that of the first certificate'],
  ['no key', () => [pemOf(one).cert, 'tippecanoe'], 'not a readable PEM key'],
  ['no certificate', () => ['tippecanoe', pemOf(one).key], 'holds no PEM certificate'],
  ['what is no certificate', () => [certificatesToPem([Buffer.from('tippecanoe')]), pemOf(one).key], 'not a readable X.509 certificate'],
] as const)('%s is refused, and not shown', (_what, texts, says) => {
  const [cert, key] = texts();
  const refused = () => credentialFromPem(cert ?? '', key ?? '');
  expect(refused).toThrow(expect.objectContaining({ code: 'CERTIFICATE_INVALID', message: expect.stringContaining(says) }));
  expect(refused).not.toThrow(/tippecanoe/);
});
