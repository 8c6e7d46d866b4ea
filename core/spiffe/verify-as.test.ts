import { expect, test } from '@jest/globals';
import { parseSpiffeId } from './id.ts';
import { TEST_NOW, TestCa } from './testing/ca.ts';
import { verifyX509SvidAs } from './verify-as.ts';

test('an SVID of the wanted ID is accepted, one of another ID of the same trust domain is not', async () => {
  const ca = await TestCa.create();
  const { chain, id } = await ca.issueNode('east-1');
  expect(verifyX509SvidAs(id, chain, ca.bundles, TEST_NOW).id).toBe(id);
  expect(() => verifyX509SvidAs(parseSpiffeId(`spiffe://${ca.trustDomain}/symbolon/node/east-2`), chain, ca.bundles, TEST_NOW)).toThrow(
    expect.objectContaining({ code: 'SVID_UNTRUSTED', message: expect.stringContaining('expected spiffe://') }),
  );
});

test('what does not verify is not asked for its ID', async () => {
  const [ca, other] = [await TestCa.create(), await TestCa.create()];
  const { chain, id } = await other.issueNode('east-1');
  expect(() => verifyX509SvidAs(id, chain, ca.bundles, TEST_NOW)).toThrow(expect.objectContaining({ code: 'SVID_UNTRUSTED' }));
});
