import { X509Certificate } from 'node:crypto';
import { beforeAll, expect, test } from '@jest/globals';
import { certificatesFromPem, certificatesToPem } from './pem.ts';
import { TestCa } from './testing/ca.ts';

let chain: readonly Uint8Array[];

beforeAll(async () => {
  chain = (await (await (await TestCa.create('east.example')).intermediate()).issue('/web')).chain;
});

test('a chain is written as OpenSSL reads it, leaf first, in lines of 64', () => {
  const pem = certificatesToPem(chain);
  expect(new X509Certificate(pem).raw).toEqual(Buffer.from(chain[0] ?? []));
  expect(Math.max(...pem.split('\n').map((line) => line.length))).toBe(64);
});

test('what was written is read again, whatever stands between', () => {
  const pem = certificatesToPem(chain).replaceAll('-----END CERTIFICATE-----\n', '-----END CERTIFICATE-----\r\n# a comment\r\n');
  expect(certificatesFromPem(pem).map((der) => Buffer.from(der))).toEqual(chain.map((der) => Buffer.from(der)));
});

test.each(['', 'text', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', '-----BEGIN CERTIFICATE-----\nAAAA\n'])(
  'a text without a certificate is refused: %j',
  (text) => {
    expect(() => certificatesFromPem(text)).toThrow(expect.objectContaining({ code: 'CERTIFICATE_INVALID' }));
  },
);

test.each<[what: string, change: (pem: string) => string, says: string]>([
  ['no certificate', (pem) => pem.replace(/MI[^-]*/, 'dGlwcGVjYW5vZQ==\n'), 'PEM block 1 of 2 is not a readable X.509 certificate'],
  ['a certificate that was cut off', (pem) => pem.replace(/.{64}\n(?!-)/, ''), 'PEM block 1 of 2 is not a readable X.509 certificate'],
  ['characters that are not of base64', (pem) => pem.replace('MI', 'tippecanoe!'), 'PEM block 1 of 2 is not base64'],
  ['a letter too few', (pem) => pem.replace('MI', 'M'), 'PEM block 1 of 2 is not base64'],
  ['nothing', (pem) => pem.replace(/MI[^-]*/, ''), 'PEM block 1 of 2 is not base64'],
  ['no end', (pem) => pem.slice(0, -30), 'PEM block 2 of 2 has no line "-----END CERTIFICATE-----"'],
])('a block with %s is refused, named, and not shown', (_, change, says) => {
  const refused = () => certificatesFromPem(change(certificatesToPem(chain)));
  expect(refused).toThrow(expect.objectContaining({ code: 'CERTIFICATE_INVALID', message: expect.stringContaining(says) }));
  expect(refused).not.toThrow(/tippecanoe|dGlwcGVj/);
});
