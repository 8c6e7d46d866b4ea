import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { createServerCertificate } from './server-certificate.ts';

test('the certificate is for localhost, signed by itself, valid now, and another for each process', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');
  const made = createServerCertificate(now);
  const certificate = new X509Certificate(made.certificateDer);
  expect(certificate.subjectAltName).toBe('DNS:localhost');
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.checkPrivateKey(createPrivateKey(made.keyPem))).toBe(true);
  expect(new X509Certificate(made.certificatePem).raw.equals(made.certificateDer)).toBe(true);
  expect(Date.parse(certificate.validFrom)).toBe(now - 86_400_000);
  expect(Date.parse(certificate.validTo)).toBe(now + 30 * 86_400_000);
  expect(createServerCertificate(now).certificateDer.equals(made.certificateDer)).toBe(false);
});
