import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseBundleJson } from '#core/spiffe/bundle-json';
import { certificatesFromPem } from '#core/spiffe/pem';
import { verifyX509Svid } from '#core/spiffe/verify';
import { systemClock } from '#daemon/clock';
import { EXIT, explainFailure } from '#daemon/exit';
import { callUnary } from '#daemon/grpc/call';
import { credentialFromPem } from '#daemon/tls/credential';
import { getOverUnix } from '#daemon/unix/get-over-unix';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { TEST_DOMAIN, TestAuthority, testPolicy } from '../testing/test-authority.ts';
import { authorityCommand } from './command.ts';

let authority: TestAuthority;
let printed = '';
beforeEach(async () => {
  authority = await TestAuthority.start();
  printed = '';
  jest.spyOn(console, 'log').mockImplementation((text: string) => {
    printed += text;
  });
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(async () => {
  jest.restoreAllMocks();
  await authority.close();
});

const run = (...args: string[]) =>
  authorityCommand().parseAsync([...args, '--admin-socket', join(authority.folder, 'admin.sock')], { from: 'user' });

test.each([
  ['an administrator', [], 'admin', false],
  ['a reader', ['--read-only', '--name', 'ci'], 'reader', true],
])('admin-svid writes what makes %s', async (_who, flags, kind, isReader) => {
  const out = join(authority.folder, 'out');
  await run('admin-svid', '--out', out, '--ttl', '1h', ...flags);
  expect(statSync(join(out, 'key.pem')).mode & 0o777).toBe(0o600);
  expect(printed).toContain(`spiffe://east.example/symbolon/${kind}/`);
  const [svid, key, bundle] = ['svid.pem', 'key.pem', 'bundle.pem'].map((name) => readFileSync(join(out, name), 'utf8'));
  const authorities = certificatesFromPem(bundle ?? '').map((der) => ({ der }));
  const bundles = new Map([[TEST_DOMAIN, { trustDomain: TEST_DOMAIN, authorities, sequence: 1n }]]);
  const credential = credentialFromPem(svid ?? '', key ?? '');
  const { notAfter } = verifyX509Svid(credential.chain, bundles, systemClock.now());
  expect(notAfter - systemClock.now()).toBeLessThanOrEqual(3_600_000);
  const client = await authority.overTls(credential);
  await callUnary(client, ControlService.listAuthPolicies, {});
  const write = callUnary(client, ControlService.createAuthPolicy, { policy: testPolicy('p') });
  await (isReader ? expect(write).rejects.toMatchObject({ code: 'PERMISSION_DENIED' }) : expect(write).resolves.toBeDefined());
});

test('bundle show prints the same authority as PEM and as SPIFFE JSON', async () => {
  await run('bundle', 'show');
  const [der] = certificatesFromPem(printed);
  printed = '';
  await run('bundle', 'show', '--format', 'spiffe');
  const bundle = parseBundleJson(printed, TEST_DOMAIN);
  expect(bundle.authorities.map((each) => Buffer.from(each.der))).toEqual([der]);
  expect(bundle.sequence).toBe(1n);
});

test('health and metrics are on a unix socket of their own', async () => {
  const get = async (path: string) => (await getOverUnix(authority.metricsSocket, path)).body;
  await callUnary(authority.admin, ControlService.getStatus, {});
  expect(await get('/healthz')).toBe('ok\n');
  const metrics = await get('/metrics');
  expect(metrics).toMatch(/symbolon_authority_calls_total\{method="\/symbolon.authority.v1.Control\/GetStatus",status="0"\} 1/);
  expect(metrics).toContain('symbolon_authority_connected_agents 0');
});

test.each([
  [['--help'], EXIT.ok],
  [['serve'], EXIT.usage],
  [['serve', '--trust-domain', 'East'], EXIT.usage],
  [['serve', '--trust-domain', 'east.example', '--listen', 'here'], EXIT.usage],
  [['serve', '--trust-domain', 'east.example', '--log-level', 'loud'], EXIT.usage],
  [['admin-svid', '--out', '/nowhere', '--ttl', 'long'], EXIT.usage],
  [['bundle', 'show', '--admin-socket', '/nowhere/admin.sock'], EXIT.failed],
])('symbolon authority %j: %i', async (args, code) => {
  const command = authorityCommand();
  for (const each of [command, ...command.commands]) each.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  const failure = await command.parseAsync(args, { from: 'user' }).catch((error: unknown) => error);
  expect(explainFailure('symbolon authority', failure).code).toBe(code);
});
