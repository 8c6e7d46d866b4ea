import { describe, expect, test } from '@jest/globals';
import { parseTrustDomain } from '#core/spiffe/id';
import { TEST_NOW, TestCa, type TestCertificate } from '#core/spiffe/testing/ca';
import { addMs } from '#core/time/instant';
import { checkAdminSvid } from './admin-svid.ts';

const EAST = parseTrustDomain('east.example');
const HOUR_MS = 3_600_000;

async function chainOf(path: string, fields: TestCertificate = {}, trustDomain = 'east.example'): Promise<readonly Uint8Array[]> {
  return (await (await TestCa.create(trustDomain)).issue(path, fields)).chain;
}

test.each(['/symbolon/admin/me', '/symbolon/reader/me'])('%s is fit to ask', async (path) => {
  expect(checkAdminSvid(await chainOf(path), EAST, TEST_NOW)).toBe(`spiffe://east.example${path}`);
});

describe('what the authority would only hang up on is said here', () => {
  test.each<[string, () => Promise<readonly Uint8Array[]>, string, RegExp]>([
    [
      'expired',
      () => chainOf('/symbolon/admin/me', { notAfter: addMs(TEST_NOW, -1000) }),
      'SVID_EXPIRED',
      /^cert of spiffe:\/\/east\.example\/symbolon\/admin\/me expired at 2026-01-15T11:59:59\.000Z; make a new one with `symbolon authority admin-svid`$/,
    ],
    [
      'not yet',
      () => chainOf('/symbolon/admin/me', { notBefore: addMs(TEST_NOW, HOUR_MS) }),
      'SVID_EXPIRED',
      /not valid before .*correct the clock/,
    ],
    [
      'an expired certificate behind it',
      async () => {
        const root = await TestCa.create('east.example');
        return (await (await root.intermediate({ notAfter: addMs(TEST_NOW, -1000) })).issue('/symbolon/admin/me')).chain;
      },
      'SVID_EXPIRED',
      /in the chain of .* expired/,
    ],
    [
      'another trust domain',
      () => chainOf('/symbolon/admin/me', {}, 'west.example'),
      'SVID_INVALID',
      /cert is that of spiffe:\/\/west\.example/,
    ],
    ['a workload', () => chainOf('/web'), 'SVID_INVALID', /expects spiffe:\/\/east\.example\/symbolon\/admin\/<name>/],
    ['a node', () => chainOf('/symbolon/node/n'), 'SVID_INVALID', /expects/],
    ['nothing', async () => [], 'SVID_INVALID', /empty/],
    ['no certificate', async () => [Buffer.from('no')], 'DER_INVALID', /malformed/],
  ])('%s', async (_, chain, code, text) => {
    const wrong = await chain();
    expect(() => checkAdminSvid(wrong, EAST, TEST_NOW)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(text) }));
  });
});
