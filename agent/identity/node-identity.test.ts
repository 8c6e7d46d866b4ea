import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { TestCa } from '#core/spiffe/testing/ca';
import { silentLogger } from '#daemon/log';
import { type NodeIdentity, type NodeIdentityOptions, startNodeIdentity } from './node-identity.ts';
import {
  FakeAuthority,
  type FakeAuthorityOptions,
  lifetime,
  shortLived,
  testClock,
  until,
  wireIdentity,
} from './testing/fake-authority.ts';

let directory: string;
let authority: FakeAuthority;
const agents: NodeIdentity[] = [];
const HOUR = 3_600_000;

async function withAuthority(options: FakeAuthorityOptions = {}): Promise<void> {
  authority = await FakeAuthority.start(options);
  authority.tokens.set('secret-token', 'east-1');
}

async function start(options: Partial<NodeIdentityOptions> = {}): Promise<NodeIdentity> {
  const agent = await startNodeIdentity({
    trustDomain: authority.ca.trustDomain,
    authority: authority.address,
    bootstrap: authority.ca.bundles,
    joinToken: 'secret-token',
    dataDirectory: directory,
    clock: testClock(),
    log: silentLogger,
    signal: new AbortController().signal,
    ...options,
  });
  agents.push(agent);
  return agent;
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sy-identity-'));
});
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.close()));
  await authority.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('joining', () => {
  test('a token gives the node its SVID, a view and the SVIDs of its entries', async () => {
    await withAuthority();
    authority.push({ identities: [wireIdentity('web'), wireIdentity('batch')] });
    const agent = await start();
    expect(agent.nodeId).toBe('spiffe://east.example/symbolon/node/east-1');
    expect([authority.handshakes > 0, authority.attestations]).toEqual([true, 1]);
    await until(() => agent.workload('entry-web') !== undefined && agent.workload('entry-batch') !== undefined);
    expect(agent.view()?.entries.map((e) => e.spiffeId)).toEqual(['spiffe://east.example/web', 'spiffe://east.example/batch']);
    expect(agent.workload('entry-web')?.svid).toMatchObject({ id: 'spiffe://east.example/web', issuedToNode: agent.nodeId });
    expect(agent.status()).toMatchObject({ connected: true, problems: [] });
  });

  test('what is kept on disk is readable by its owner only, and holds no token', async () => {
    await withAuthority();
    const agent = await start();
    await until(() => agent.view() !== undefined);
    const files = readdirSync(directory);
    expect(files.sort()).toEqual(['node.pem', 'state.pb']);
    for (const file of files) {
      expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600);
      expect(readFileSync(join(directory, file)).includes('secret-token')).toBe(false);
    }
  });

  test('an unknown token is refused for good', async () => {
    await withAuthority();
    await expect(start({ joinToken: 'wrong' })).rejects.toMatchObject({ code: 'TOKEN_REFUSED' });
  });

  test('an authority that is busy is asked again', async () => {
    await withAuthority();
    authority.busyTimes = 1;
    await expect(start()).resolves.toMatchObject({ nodeId: 'spiffe://east.example/symbolon/node/east-1' });
    expect(authority.busyTimes).toBeLessThan(0);
  });

  test('without credential and token the agent says what to do', async () => {
    await withAuthority();
    await expect(start({ joinToken: undefined })).rejects.toMatchObject({ code: 'CONFIG_INVALID', context: { path: '--join-token-file' } });
  });

  /** The agent comes, sees who answers, comes again, and never shows its token. */
  async function expectNotAttested(options: Partial<NodeIdentityOptions> = {}): Promise<void> {
    const given = new AbortController();
    const joining = start({ ...options, signal: given.signal });
    const refused = expect(joining).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await until(() => authority.handshakes >= 2);
    given.abort();
    await refused;
    expect(authority.attestations).toBe(0);
    expect(authority.tokens.has('secret-token')).toBe(true);
  }

  test.each([
    ['another identity of the trust domain', { ownPath: '/web' }],
    ['another node', { ownPath: '/symbolon/node/east-9' }],
    ['an expired authority', { own: lifetime(2 * HOUR, HOUR) }],
  ])('the token is not shown to %s', async (_, options) => {
    await withAuthority(options);
    await expectNotAttested();
  });

  test('the token is not shown to an authority that another CA vouches for', async () => {
    await withAuthority();
    const stranger = await TestCa.create('east.example');
    await expectNotAttested({ bootstrap: stranger.bundles });
  });

  test('without a bundle no authority is asked', async () => {
    await withAuthority();
    await expect(start({ bootstrap: new Map() })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      context: { path: '--bootstrap-bundle' },
    });
    expect(authority.tokens.has('secret-token')).toBe(true);
  });

  test('it waits for an authority that is not there yet', async () => {
    await withAuthority();
    const { ca } = authority;
    const port = authority.port;
    await authority.close();
    const joining = start();
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
    await withAuthority({ ca, port });
    expect((await joining).nodeId).toContain('east-1');
  });
});

describe('restart', () => {
  test('needs no token, and takes the stored view before the authority answers', async () => {
    await withAuthority();
    authority.push({ identities: [wireIdentity('web')] });
    const first = await start();
    await until(() => first.view() !== undefined);
    await first.close();
    await authority.close();
    const second = await start({ joinToken: undefined });
    expect(second.nodeId).toBe(first.nodeId);
    expect(second.view()).toMatchObject({ revision: first.view()?.revision, entries: [{ id: 'entry-web' }] });
    expect(second.status().connected).toBe(false);
  });

  test.each(['node.pem', 'state.pb'])('a damaged %s is not believed', async (file) => {
    await withAuthority();
    const first = await start();
    await until(() => first.view() !== undefined);
    await first.close();
    writeFileSync(join(directory, file), 'rubbish');
    authority.tokens.set('second-token', 'east-1');
    const second = await start({ joinToken: 'second-token' });
    await until(() => second.view() !== undefined);
    expect(authority.tokens.has('second-token')).toBe(file === 'state.pb');
  });

  test('a stored certificate for another key is not used', async () => {
    await withAuthority();
    await (await start()).close();
    const other = await authority.ca.issueNode('east-1');
    const pem = readFileSync(join(directory, 'node.pem'), 'utf8');
    writeFileSync(
      join(directory, 'node.pem'),
      pem.replace(
        /-----BEGIN PRIVATE KEY-----[^]*-----END PRIVATE KEY-----\n/,
        other.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      ),
    );
    await expect(start({ joinToken: undefined })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('living', () => {
  test('acknowledged revisions and problems reach the authority', async () => {
    await withAuthority();
    const agent = await start();
    agent.onView((view) => agent.acknowledge(view.revision, 'the uplink is gone'));
    authority.push({});
    await until(() => authority.reports.some((r) => r.enforcedRevision === authority.state.revision && r.problem === 'the uplink is gone'));
  });

  test('a state that cannot be used is reported, and the view before stays', async () => {
    await withAuthority();
    const agent = await start();
    await until(() => agent.view() !== undefined);
    const before = agent.view();
    authority.push({ identities: [wireIdentity('web', { parentId: 'spiffe://east.example/symbolon/node/east-2' })] });
    await until(() => authority.reports.some((r) => r.problem.includes('belongs to')));
    expect(agent.view()).toBe(before);
  });

  test('a state that cannot be stored is enforced all the same', async () => {
    await withAuthority();
    const agent = await start();
    await until(() => agent.view() !== undefined);
    rmSync(directory, { recursive: true });
    authority.push({});
    await until(() => agent.view()?.revision === authority.state.revision && agent.status().problems.length > 0);
    expect(agent.status()).toMatchObject({ connected: true, problems: [expect.stringContaining('cannot be stored')] });
  });

  test('it comes back when the authority does', async () => {
    await withAuthority();
    const agent = await start();
    await until(() => agent.view() !== undefined);
    const { ca } = authority;
    const port = authority.port;
    await authority.close();
    await until(() => !agent.status().connected);
    await withAuthority({ ca, port });
    await until(() => agent.status().connected);
  });

  test('an entry that goes takes its credential along; one whose ID changes gets a new one', async () => {
    await withAuthority();
    authority.push({ identities: [wireIdentity('web'), wireIdentity('batch')] });
    const agent = await start();
    await until(() => agent.workload('entry-web') !== undefined && agent.workload('entry-batch') !== undefined);
    const gone: string[] = [];
    agent.onWorkload((id) => gone.push(id));
    authority.push({ identities: [wireIdentity('web', { spiffeId: 'spiffe://east.example/shop' })] });
    await until(() => agent.workload('entry-web')?.svid.id === 'spiffe://east.example/shop');
    expect(agent.workload('entry-batch')).toBeUndefined();
    expect(gone).toContain('entry-batch');
  });

  test('SVIDs are renewed at half of their life, with new keys', async () => {
    await withAuthority({ issue: shortLived });
    authority.push({ identities: [wireIdentity('web')] });
    const agent = await start();
    const node = agent.credential();
    await until(() => agent.workload('entry-web') !== undefined);
    const web = agent.workload('entry-web');
    const streams = authority.streamsOpened;
    await until(() => agent.workload('entry-web') !== web && agent.credential() !== node);
    expect(authority.renewals).toBeGreaterThan(0);
    expect(agent.credential().svid.publicKey.equals(node.svid.publicKey)).toBe(false);
    expect(agent.workload('entry-web')?.svid.publicKey.equals(web?.svid.publicKey as never)).toBe(false);
    // The stream goes over to a connection that shows the new SVID.
    await until(() => authority.streamsOpened > streams);
  });

  test('a CA that is taken out of the bundle takes the SVIDs along that it issued', async () => {
    await withAuthority();
    authority.push({ identities: [wireIdentity('web')] });
    const agent = await start();
    await until(() => agent.workload('entry-web') !== undefined);
    const other = await TestCa.create();
    const gone: string[] = [];
    agent.onWorkload((id) => gone.push(id));
    authority.push({
      bundles: [{ trustDomain: 'east.example', x509Authorities: [Buffer.from(other.der)], sequence: 2n, refreshHintSeconds: 0 }],
    });
    await until(() => gone.includes('entry-web'));
    expect(agent.workload('entry-web')).toBeUndefined();
  });

  test.each([
    ['of another ID', { uris: ['spiffe://east.example/other'] }],
    ['issued to another node', { issuedToNode: 'spiffe://east.example/symbolon/node/east-2' }],
  ])('a workload SVID %s is not taken', async (_, fields) => {
    await withAuthority({ issue: (path) => (path === '/web' ? fields : {}) });
    authority.push({ identities: [wireIdentity('web')] });
    const agent = await start();
    await until(() => agent.status().problems.length > 0);
    expect(agent.workload('entry-web')).toBeUndefined();
    expect(agent.status().problems[0]).toContain('expected spiffe://east.example/web');
  });
});
