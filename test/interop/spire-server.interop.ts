import { spawn } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { authoritySpiffeId } from '#core/registration/node-id';
import { parseBundleJson } from '#core/spiffe/bundle-json';
import { parseTrustDomain } from '#core/spiffe/id';
import { verifyX509Svid } from '#core/spiffe/verify';
import type { Instant } from '#core/time/instant';
import { callUnary } from '#daemon/grpc/call';
import { killGroup } from '#lab/command';
import { agentCommand } from '#lab/executables';
import { INSIDE, outsidePath } from '#lab/layout';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import type { Identity } from '#proto/gen/symbolon/authority/types';
import { startWorld, type World } from '../setup/world.ts';
import { probe, probeIn, spireServer } from './go-program.ts';

const folder = mkdtempSync(join(tmpdir(), 'sy-interop-'));
let world: World;
beforeAll(async () => {
  world = await startWorld({ identities: ['web', 'payments', 'reports'] });
}, 60_000);
afterAll(async () => {
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

const BATCH = 'spiffe://east.example/batch';
const EAST_1 = 'spiffe://east.example/symbolon/node/east-1';
const EAST_3 = 'spiffe://east.example/symbolon/node/east-3';
const OF_BATCH = ['-spiffeID', BATCH, '-parentID', EAST_1, '-selector', 'unix:uid:1002'];

const spire = (...args: string[]) => spireServer(world.lab, ...args);
/** What a command says in JSON; it must succeed. */
async function json(...args: string[]): Promise<never> {
  const result = await spire(...args, '-output', 'json');
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(result.stdout) as never;
}
/** The identities that our own API lists. */
const identities = async (): Promise<Identity[]> =>
  (await world.lab.authority.call((client) => callUnary(client, ControlService.listIdentities, {}))).identities;
const batchIdentity = async (): Promise<Identity | undefined> => (await identities()).find((i) => i.spiffeId === BATCH);

test('healthcheck', async () => {
  expect(await spire('healthcheck')).toMatchObject({ code: 0, stdout: 'Server is healthy.\n' });
});

describe('bundle', () => {
  test('show: the CA as PEM, in SPIFFE JSON and in the API’s own form', async () => {
    const pem = await spire('bundle', 'show');
    expect(pem).toMatchObject({ code: 0, stderr: '', stdout: await world.lab.authority.bundlePem() });

    const { stdout } = await spire('bundle', 'show', '-format', 'spiffe');
    const bundle = parseBundleJson(stdout, parseTrustDomain('east.example'));
    expect(bundle.authorities.map(({ der }) => Buffer.from(der))).toEqual([new X509Certificate(pem.stdout).raw]);
    expect(bundle).toMatchObject({ sequence: 1n, refreshHintSeconds: 300 });

    expect(await json('bundle', 'show')).toMatchObject({
      trust_domain: 'east.example',
      x509_authorities: [{ asn1: new X509Certificate(pem.stdout).raw.toString('base64'), tainted: false }],
      jwt_authorities: [],
    });
  });

  test('count', async () => {
    expect(await json('bundle', 'count')).toEqual({ count: 1 });
  });
});

describe('entry', () => {
  let entryId = '';

  test('create: what is made is an identity of ours, and its workload gets its SVID', async () => {
    const made = await spire('entry', 'create', ...OF_BATCH, '-hint', 'nightly', '-dns', 'batch.example', '-x509SVIDTTL', '600');
    expect(made).toMatchObject({ code: 0, stderr: '' });
    entryId = /^Entry ID +: (\S+)$/m.exec(made.stdout)?.[1] ?? '';
    expect(await batchIdentity()).toMatchObject({
      id: entryId,
      spiffeId: BATCH,
      parentId: EAST_1,
      selectors: ['unix:uid:1002'],
      hint: 'nightly',
      dnsNames: ['batch.example'],
      x509SvidTtlSeconds: 600,
      ownership: { owner: '', generation: 1n },
    });
    await world.attested(['batch']);
    const { said } = await probe(world.lab, 'batch', 'svid');
    expect(said).toMatchObject([{ svids: [{ verifiedId: BATCH, hint: 'nightly', lifetime: 610 }] }]);
  });

  test('create of what is there already says so and changes nothing', async () => {
    const again = await spire('entry', 'create', ...OF_BATCH);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('code: AlreadyExists, msg: "similar entry already exists"') });
    expect(await batchIdentity()).toMatchObject({ hint: 'nightly' });
  });

  test.each([
    ['-spiffeID', [BATCH], ['batch']],
    ['-parentID', [EAST_1], ['batch', 'web']],
    ['-selector', ['unix:uid:2001', '-matchSelectorsOn', 'exact'], ['payments']],
    ['-selector', ['unix:uid:2001', '-selector', 'unix:gid:2001', '-matchSelectorsOn', 'subset'], ['payments']],
    ['-selector', ['unix:uid:2001', '-selector', 'unix:gid:2001', '-matchSelectorsOn', 'superset'], []],
    ['-selector', ['unix:uid:2001', '-selector', 'unix:uid:3001', '-matchSelectorsOn', 'any'], ['payments', 'reports']],
    ['-hint', ['nightly'], ['batch']],
  ])('show and count %s %j find %j', async (flag, values, names) => {
    const { entries } = (await json('entry', 'show', flag, ...values)) as { entries: { spiffe_id: { path: string } }[] };
    expect(entries.map((entry) => entry.spiffe_id.path).toSorted()).toEqual(names.map((name) => `/${name}`));
    expect(await json('entry', 'count', flag, ...values)).toEqual({ count: names.length });
  });

  test('show prints every entry', async () => {
    const { code, stdout } = await spire('entry', 'show');
    expect(code).toBe(0);
    expect(stdout).toContain('Found 4 entries');
    for (const { id, spiffeId } of await identities()) expect(stdout).toMatch(new RegExp(`Entry ID +: ${id}\nSPIFFE ID +: ${spiffeId}\n`));
    expect(await json('entry', 'show', '-entryID', entryId)).toMatchObject({ entries: [{ id: entryId, x509_svid_ttl: 600 }] });
  });

  test('update: replaces the entry; the workload gets another SVID', async () => {
    const update = await spire('entry', 'update', '-entryID', entryId, ...OF_BATCH, '-hint', 'weekly', '-x509SVIDTTL', '120');
    expect(update).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^Revision +: 1$/m) });
    expect(await batchIdentity()).toMatchObject({
      id: entryId,
      hint: 'weekly',
      dnsNames: [],
      x509SvidTtlSeconds: 120,
      ownership: { generation: 2n },
    });
    await world.eventually(async () => {
      const { said } = await probe(world.lab, 'batch', 'svid');
      expect(said).toMatchObject([{ svids: [{ verifiedId: BATCH, hint: 'weekly', lifetime: 130 }] }]);
    });
  });

  test('delete: the identity is gone, and with it what the Workload API gives', async () => {
    expect(await spire('entry', 'delete', '-entryID', entryId)).toMatchObject({ code: 0, stderr: '' });
    expect(await batchIdentity()).toBeUndefined();
    await world.eventually(async () => {
      expect(await probe(world.lab, 'batch', 'svid')).toMatchObject({ code: 1, said: [{ code: 'PermissionDenied' }] });
    });
  });

  test('create from a file: what can be made is made, what cannot says why', async () => {
    const file = join(folder, 'entries.json');
    const entry = (spiffeId: string, parentId = EAST_1) => ({
      spiffe_id: spiffeId,
      parent_id: parentId,
      selectors: [{ type: 'unix', value: 'uid:1002' }],
    });
    writeFileSync(file, JSON.stringify({ entries: [entry(BATCH), entry('spiffe://west.example/batch')] }));
    const result = await spire('entry', 'create', '-data', file);
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('InvalidArgument') });
    const made = await batchIdentity();
    expect(result.stdout).toContain(made?.id);
    expect(await spire('entry', 'delete', '-entryID', made?.id ?? '')).toMatchObject({ code: 0 });
  });

  test.each<[string, string[], RegExp]>([
    ['a parent that is no node', ['-parentID', 'spiffe://east.example/spire/agent/x'], /parent_id .* is not a node ID/],
    ['a reserved ID', ['-spiffeID', `${EAST_1}/x`], /reserved/],
    ['an ID of another trust domain', ['-spiffeID', 'spiffe://west.example/batch'], /west\.example/],
    ['rights', ['-admin'], /admin is not supported/],
    ['a downstream server', ['-downstream'], /downstream is not supported/],
    ['a JWT lifetime', ['-jwtSVIDTTL', '60'], /jwt_svid_ttl is not supported/],
    ['no prefetch', ['-disableX509SVIDPrefetch'], /disable_x509_svid_prefetch is not supported/],
    ['an id of its own', ['-entryID', 'mine'], /the id of an entry is chosen by this authority/],
    ['another trust domain to federate with', ['-federatesWith', 'west.example'], /federates with no trust domain yet/],
    ['a DNS name that is none', ['-dns', 'a b'], /not a DNS name/],
  ])('create with %s is refused with the reason', async (_what, flags, reason) => {
    expect(await spire('entry', 'create', ...OF_BATCH, ...flags)).toMatchObject({ code: 1, stderr: expect.stringMatching(reason) });
    expect(await batchIdentity()).toBeUndefined();
  });

  test.each([
    ['show', /NotFound desc = there is no identity with the id "nobody"/],
    ['delete', /NotFound, msg: "there is no identity with the id/],
  ])('%s of an entry that is not there', async (verb, reason) => {
    expect(await spire('entry', verb, '-entryID', 'nobody')).toMatchObject({ code: 1, stderr: expect.stringMatching(reason) });
  });
});

describe('x509 mint', () => {
  test('writes an SVID that verifies, with the DNS names asked for', async () => {
    const minted = await spire('x509', 'mint', '-spiffeID', 'spiffe://east.example/tool', '-dns', 'tool.example', '-write', folder);
    expect(minted).toMatchObject({ code: 0, stderr: '' });
    const certificate = new X509Certificate(readFileSync(join(folder, 'svid.pem')));
    const trustDomain = parseTrustDomain('east.example');
    const ca = new X509Certificate(readFileSync(join(folder, 'bundle.pem')));
    const bundles = new Map([[trustDomain, { trustDomain, authorities: [{ der: ca.raw }], sequence: 1n }]]);
    expect(verifyX509Svid([certificate.raw], bundles, Date.now() as Instant)).toMatchObject({ id: 'spiffe://east.example/tool' });
    expect(certificate.subjectAltName).toBe('URI:spiffe://east.example/tool, DNS:tool.example');
    expect(certificate.checkPrivateKey(createPrivateKey(readFileSync(join(folder, 'key.pem'))))).toBe(true);
  });

  test.each<[string, string[], RegExp]>([
    ["a node's ID", ['-spiffeID', EAST_1], /only admin and reader IDs/],
    ['an ID of another trust domain', ['-spiffeID', 'spiffe://west.example/tool'], /not of the trust domain east\.example/],
    ['a lifetime of decades', ['-spiffeID', 'spiffe://east.example/tool', '-ttl', '500000h'], /ttl "1800000000" is not a lifetime/],
  ])('%s is refused', async (_what, flags, reason) => {
    expect(await spire('x509', 'mint', ...flags)).toMatchObject({ code: 1, stderr: expect.stringMatching(reason) });
  });
});

describe('the API over mutual TLS, from the place of Terraform, by an SVID that x509 mint made', () => {
  const administer = async (path: string) => {
    const own = mkdtempSync(join(folder, 'admin-'));
    expect(await spire('x509', 'mint', '-spiffeID', `spiffe://east.example${path}`, '-write', own)).toMatchObject({ code: 0 });
    const { trustDomain, apiAddress } = world.lab.status().authority;
    const server = authoritySpiffeId(parseTrustDomain(trustDomain));
    return await probeIn(world.lab, { place: 'operator' }, 'admin', apiAddress, server, own);
  };

  test('an administrator writes', async () => {
    expect(await administer('/symbolon/admin/go')).toEqual({ code: 0, said: [{ entries: 3 }, { created: expect.any(String) }] });
  });

  test.each([
    ['a reader reads only', '/symbolon/reader/go', [{ entries: 3 }, { code: 'PermissionDenied' }]],
    ['a workload does neither', '/web', [{ code: 'PermissionDenied' }]],
  ])('%s', async (_what, path, said) => {
    expect(await administer(path)).toMatchObject({ code: 1, said });
    expect((await identities()).map((identity) => identity.spiffeId)).not.toContain('spiffe://east.example/made-by-go');
  });
});

describe('agent', () => {
  const NODES = ['east-1', 'east-2', 'east-3'];
  const listed = async (...flags: string[]): Promise<string[]> => {
    const { agents } = (await json('agent', 'list', ...flags)) as { agents: { id: { path: string } }[] };
    return agents.map((agent) => agent.id.path.replace('/symbolon/node/', ''));
  };
  /** Waits until our own API says that exactly these nodes' agents are connected. */
  const connectedAre = (nodes: readonly string[]) =>
    world.eventually(async () => {
      const { agents } = await world.lab.authority.call((client) => callUnary(client, ControlService.getStatus, {}));
      expect(agents.filter((agent) => agent.connected).map((agent) => agent.nodeName)).toEqual(nodes);
    });

  test.each([
    [[], NODES],
    [['-attestationType', 'join_token'], NODES],
    [['-attestationType', 'x509pop'], []],
    [['-banned', 'false'], NODES],
    [['-banned', 'true'], []],
    [['-canReattest', 'true'], []],
    [['-expiresBefore', '2038-01-19 03:14:07 +0000 +00'], NODES],
    [['-expiresBefore', '2020-01-01 00:00:00 +0000 +00'], []],
    [['-selector', 'unix:uid:0'], []],
  ])('list and count %j find %j', async (flags, nodes) => {
    expect(await listed(...flags)).toEqual(nodes);
    expect(await json('agent', 'count', ...flags)).toEqual({ count: nodes.length });
  });

  test('show', async () => {
    const shown = await spire('agent', 'show', '-spiffeID', EAST_1);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toMatch(/SPIFFE ID +: spiffe:\/\/east\.example\/symbolon\/node\/east-1\nAttestation type +: join_token\n/);
    expect(await spire('agent', 'show', '-spiffeID', 'spiffe://east.example/symbolon/node/nobody')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('NotFound desc = the node nobody has not attested'),
    });
  });

  test('purge finds nothing to purge', async () => {
    expect(await spire('agent', 'purge')).toMatchObject({ code: 0, stdout: 'No agents to purge.\n' });
    expect(await listed()).toEqual(NODES);
  });

  test('evict cuts a node off; a token that `token generate` makes brings it back; ban cuts it off for good', async () => {
    const { lab } = world;
    expect(await spire('agent', 'evict', '-spiffeID', EAST_3)).toMatchObject({ code: 0, stdout: 'Agent evicted successfully\n' });
    expect(await listed()).toEqual(['east-1', 'east-2']);
    await connectedAre(['east-1', 'east-2']);

    await lab.agents.kill(['east-3']);
    const token = (await json('token', 'generate', '-spiffeID', EAST_3, '-ttl', '60')) as { value: string; expires_at: string };
    expect(Number(token.expires_at) - Date.now() / 1000).toBeLessThanOrEqual(60);
    await lab.exec({ place: 'east-3' }, ['rm', '-rf', INSIDE.agentData]);
    writeFileSync(outsidePath(lab.layout, 'east-3', INSIDE.joinToken), token.value, { mode: 0o600 });
    writeFileSync(outsidePath(lab.layout, 'east-3', INSIDE.bootstrapBundle), (await spire('bundle', 'show')).stdout);
    const [file = '', ...args] = lab.commandFor({ place: 'east-3' }, agentCommand(lab.checkout, lab.spec));
    const agent = spawn(file, args, { detached: true, stdio: 'ignore' });
    try {
      await world.attested(['reports']);
      expect(await listed()).toEqual(NODES);
      const { said } = await probe(lab, 'reports', 'svid');
      expect(said).toMatchObject([{ svids: [{ verifiedId: 'spiffe://east.example/reports' }] }]);

      expect(await spire('agent', 'ban', '-spiffeID', EAST_3)).toMatchObject({ code: 0 });
      expect(await listed('-banned', 'true')).toEqual(['east-3']);
      await connectedAre(['east-1', 'east-2']);
      const refused = await spire('token', 'generate', '-spiffeID', EAST_3);
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/PermissionDenied desc = .* is banned/) });
    } finally {
      killGroup(agent.pid);
    }
  }, 60_000);

  test.each<[string, string[], RegExp]>([
    ['without a node', [], /a token is for one node; name it/],
    ['for what is no node', ['-spiffeID', 'spiffe://east.example/web'], /is no node of east\.example/],
    ['for a node that is not declared', ['-spiffeID', 'spiffe://east.example/symbolon/node/nobody'], /nobody/],
    ['with a lifetime of nothing', ['-spiffeID', EAST_1, '-ttl', '-1'], /a token lives .*, not -1/],
  ])('token generate %s is refused', async (_what, flags, reason) => {
    const result = await spire('token', 'generate', ...flags);
    expect(result).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(reason) });
  });
});

test.each([
  [['bundle', 'list']],
  [['bundle', 'delete', '-id', 'spiffe://west.example']],
  [['federation', 'list']],
  [['jwt', 'mint', '-spiffeID', BATCH, '-audience', 'anybody']],
  [['localauthority', 'x509', 'show']],
  [['debug', 'getinfo']],
])('%j is answered Unimplemented, and the authority lives on', async (command) => {
  const result = await spire(...command);
  expect(result).toMatchObject({ code: 1, stderr: expect.stringMatching(/code = Unimplemented desc = .*\/spire\.api\.server\./) });
  expect(await spire('healthcheck')).toMatchObject({ code: 0 });
});

test('an authority that is stopped is unhealthy, and healthy again after its start', async () => {
  await world.lab.authority.stop();
  expect(await spire('healthcheck')).toMatchObject({ code: 1, stderr: expect.stringContaining('server is unhealthy') });
  await world.lab.authority.start();
  expect(await spire('healthcheck')).toMatchObject({ code: 0 });
}, 60_000);
