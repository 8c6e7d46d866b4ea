import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { callUnary } from '#daemon/grpc/call';
import { BundleService } from '#proto/gen/spire/server/bundle';
import { Bundle, BundleMask } from '#proto/gen/spire/types';
import { TEST_DOMAIN, TestAuthority } from '../testing/test-authority.ts';

let authority: TestAuthority;
let whole: Bundle;
beforeAll(async () => {
  authority = await TestAuthority.start();
  whole = await callUnary(authority.admin, BundleService.getBundle, { outputMask: undefined });
});
afterAll(() => authority.close());

test('the own bundle is the only one', async () => {
  expect(await callUnary(authority.admin, BundleService.countBundles, {})).toEqual({ count: 1 });
  expect(whole).toMatchObject({ trustDomain: TEST_DOMAIN, x509Authorities: [{ tainted: false }], jwtAuthorities: [], refreshHint: 300n });
  expect(whole.sequenceNumber).toBeGreaterThan(0n);
});

test.each<keyof BundleMask>(['x509Authorities', 'jwtAuthorities', 'refreshHint', 'sequenceNumber'])(
  'a mask of %s shows that and the trust domain',
  async (field) => {
    const outputMask = BundleMask.fromPartial({ [field]: true });
    const masked = await callUnary(authority.admin, BundleService.getBundle, { outputMask });
    expect(masked).toEqual(Bundle.fromPartial({ trustDomain: TEST_DOMAIN, [field]: whole[field as 'refreshHint'] }));
  },
);

test('its sequence is kept over a restart, and grows when the CA is replaced', async () => {
  const sequence = async () => (await callUnary(authority.admin, BundleService.getBundle, { outputMask: undefined })).sequenceNumber;
  const first = await sequence();
  await authority.restart();
  expect(await sequence()).toBe(first);
  // The authority makes a CA where there is none.
  renameSync(join(authority.folder, 'ca.pem'), join(authority.folder, 'old.pem'));
  await authority.restart();
  const second = await sequence();
  expect(second).toBe(first + 1n);
  // The old content again is another content than the one before.
  renameSync(join(authority.folder, 'old.pem'), join(authority.folder, 'ca.pem'));
  await authority.restart();
  expect(await sequence()).toBe(second + 1n);
});
