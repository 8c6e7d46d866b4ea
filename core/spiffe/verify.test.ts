import { beforeAll, describe, expect, test } from '@jest/globals';
import { TEST_NOW, TestCa } from './testing/ca.ts';
import { verifyX509Svid } from './verify.ts';

describe('verifyX509Svid', () => {
  let ca: TestCa;
  beforeAll(async () => {
    ca = await TestCa.create();
  });

  test('accepts a workload and names the node it was issued to', async () => {
    const web = await ca.issueWorkload('/web', 'east-1');
    const svid = verifyX509Svid(web.chain, ca.bundles, TEST_NOW);
    expect(svid.id).toBe('spiffe://east.example/web');
    expect(svid.issuedToNode).toBe('spiffe://east.example/symbolon/node/east-1');
  });
  test('accepts a chain with intermediates', async () => {
    const lower = await (await ca.intermediate()).intermediate();
    const web = await lower.issue('/web');
    expect(web.chain).toHaveLength(3);
    expect(web.verified().issuedToNode).toBeUndefined();
  });
});
