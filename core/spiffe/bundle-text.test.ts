import { expect, test } from '@jest/globals';
import { formatBundleJson } from './bundle-format.ts';
import { parseBundleText } from './bundle-text.ts';
import { certificatesToPem } from './pem.ts';
import { TEST_NOW, TestCa } from './testing/ca.ts';
import { verifyX509Svid } from './verify.ts';

test('a bundle is read from SPIFFE JSON and from PEM alike', async () => {
  const ca = await TestCa.create();
  const { chain, id } = await ca.issueNode('east-1');
  for (const text of [formatBundleJson(ca.bundle), `\n  ${formatBundleJson(ca.bundle)}`, certificatesToPem([ca.der])]) {
    const bundles = new Map([[ca.trustDomain, parseBundleText(text, ca.trustDomain)]]);
    expect(verifyX509Svid(chain, bundles, TEST_NOW).id).toBe(id);
  }
});

test.each([
  ['{"keys":[],"keys":[]}', 'BUNDLE_INVALID', 'has the key "keys" twice'],
  ['{"keys":[', 'BUNDLE_INVALID', 'is not JSON'],
  ['[]', 'CERTIFICATE_INVALID', 'holds no PEM certificate'],
  ['', 'CERTIFICATE_INVALID', 'holds no PEM certificate'],
])('%j is refused: %s, %s', async (text, code, says) => {
  const { trustDomain } = await TestCa.create();
  expect(() => parseBundleText(text, trustDomain)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(says) }));
});
