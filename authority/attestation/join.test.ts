import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { nodeSpiffeId } from '#core/registration/node-id';
import { parseTrustDomain } from '#core/spiffe/id';
import { addMs, instantFromMs } from '#core/time/instant';
import { type CertificateAuthority, openCertificateAuthority } from '../ca/certificate-authority.ts';
import { createCsr } from '../ca/create-csr.ts';
import { verifyCsr } from '../ca/csr.ts';
import { nodeRules } from '../registry/node.ts';
import { createObject } from '../registry/mutate.ts';
import { openStore, type Store } from '../store/store.ts';
import { secondsOf } from './attest.ts';
import { join, JOIN_CHECKS, type JoinChecks } from './join.ts';
import { createJoinToken } from './join-token.ts';

const EAST = parseTrustDomain('east.example');
const NOW = instantFromMs(Date.UTC(2026, 5, 1, 12));
const NO_TOKEN = '00'.repeat(32);

let folder: string;
let store: Store;
let ca: CertificateAuthority;
let token: string;
let parsed: number;
/** The real ones, counting what is parsed. */
let checks: JoinChecks;

beforeEach(async () => {
  folder = mkdtempSync(joinPath(tmpdir(), 'sy-join-'));
  store = await openStore(joinPath(folder, 'authority.db'), EAST);
  ca = await openCertificateAuthority(joinPath(folder, 'ca.pem'), EAST, NOW);
  const node = { name: 'east-1', addressPrefixes: ['10.1.0.0/16'], endpoints: ['192.0.2.7:7420'], attestationMethods: [] };
  token = await store.transact(async (tx) => {
    await createObject(tx, nodeRules(EAST), { input: node, owner: '' }, { atSeconds: secondsOf(NOW), trustDomain: EAST });
    return (await createJoinToken(tx, 'east-1', 60, secondsOf(NOW))).value;
  });
  parsed = 0;
  checks = {
    ...JOIN_CHECKS,
    csr: (der) => {
      parsed++;
      return verifyCsr(der);
    },
  };
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const goodCsr = () => createCsr(generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey, nodeSpiffeId(EAST, 'east-1'));

test.each([
  ['a token that never was', () => NO_TOKEN, 0],
  ['a token that has expired', () => token, 60_000],
])('of whoever has %s nothing is parsed', async (_what, choose, laterMs) => {
  const request = { token: choose(), csr: await goodCsr() };
  await expect(join(store, ca, request, addMs(NOW, laterMs), checks)).rejects.toMatchObject({ code: 'TOKEN_REFUSED' });
  expect(parsed).toBe(0);
});

test('a token that was used is worth no parsing either', async () => {
  const request = { token, csr: await goodCsr() };
  await expect(join(store, ca, request, NOW, checks)).resolves.toMatchObject({ node: 'east-1' });
  await expect(join(store, ca, request, NOW, checks)).rejects.toMatchObject({ code: 'TOKEN_REFUSED' });
  expect(parsed).toBe(1);
});

test('without the look at the token first, every stranger’s request would be parsed', async () => {
  const csr = await goodCsr();
  const all = async (which: JoinChecks): Promise<number> => {
    parsed = 0;
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => join(store, ca, { token: NO_TOKEN, csr }, NOW, which)));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'TOKEN_REFUSED' } });
    return parsed;
  };
  expect(await all(checks)).toBe(0);
  expect(await all({ ...checks, token: async () => undefined })).toBe(50);
});

test('a damaged request uses up no token', async () => {
  await expect(join(store, ca, { token, csr: Buffer.from('hello') }, NOW)).rejects.toMatchObject({ code: 'CSR_INVALID' });
  await expect(join(store, ca, { token, csr: await goodCsr() }, NOW)).resolves.toMatchObject({ node: 'east-1' });
});

test('of many who have all seen the same token one takes it', async () => {
  const csr = await goodCsr();
  let seen = 0;
  let go: () => void = () => undefined;
  const allHaveSeen = new Promise<void>((resolve) => {
    go = resolve;
  });
  const together: JoinChecks = {
    ...checks,
    token: async (...args) => {
      await JOIN_CHECKS.token(...args);
      if (++seen === 20) go();
      await allHaveSeen;
    },
  };
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => join(store, ca, { token, csr }, NOW, together)));
  expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  expect(parsed).toBe(20);
});
