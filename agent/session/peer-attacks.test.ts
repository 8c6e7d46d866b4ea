import { createServer, connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { connect as connectTcp, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { TEST_NOW, TestCa, type TestCertificate } from '#core/spiffe/testing/ca';
import { addMs } from '#core/time/instant';
import { silentLogger } from '#daemon/log';
import { ACCEPT_LIMITS } from './accept-queue.ts';
import type { DialOptions } from './dial.ts';
import { dialAs, listenAs, type ListeningNode, tcpFlow, until } from './testing/links.ts';
import { linkNodes, TestNode } from './testing/test-node.ts';
import { SESSION_ALPN, sessionTlsOptions } from './tls.ts';
import { verifyNodePeer } from './verify-peer.ts';

const HOUR = 3_600_000;
const OLD: TestCertificate = { notBefore: addMs(TEST_NOW, -HOUR / 2), notAfter: addMs(TEST_NOW, -HOUR / 3) };
const EARLY: TestCertificate = { notBefore: addMs(TEST_NOW, HOUR), notAfter: addMs(TEST_NOW, 2 * HOUR) };

let ca: TestCa;
let one: TestNode;
let two: TestNode;
let server: ListeningNode;

beforeAll(async () => {
  ca = await TestCa.create();
  one = await TestNode.create(ca, 'one');
  two = await TestNode.create(ca, 'two');
  linkNodes([one, two]);
  await one.addWorkload(ca, '10.1.0.2', '/web');
  await two.addWorkload(ca, '10.2.0.2', '/payments');
  server = await listenAs(two);
});
afterAll(() => server.listener.close());

/** Another credential in the place of node one's. */
function impostor(credential: TestNode['credential']): TestNode {
  const node = new TestNode('one', credential, one.bundles);
  node.directory = one.directory;
  return node;
}

/** Dialled with a credential that the listener must refuse: nothing of it is ever handled. */
async function refusedByListener(node: TestNode, options: Partial<DialOptions> = {}): Promise<void> {
  const before = server.sessions.length;
  const { session } = await dialAs(node, server, options);
  const flow = tcpFlow('10.1.0.2', '10.2.0.2', 80);
  expect(await session.authenticate(flow)).toMatchObject({ verdict: 'refused' });
  await session.closed;
  expect(server.sessions.length).toBe(before);
}

describe('the listener refuses', () => {
  test('a workload’s SVID in the place of a node’s', async () => {
    const workload = one.workloads.get('10.1.0.2');
    if (!workload) throw new Error('no workload');
    await refusedByListener(impostor(workload));
  });

  test.each([
    ['expired', OLD],
    ['not yet valid', EARLY],
  ])('a node’s SVID that is %s', async (_name, fields) => {
    await refusedByListener(impostor((await TestNode.create(ca, 'one', ca.bundles, fields)).credential));
  });

  test('a node’s SVID that the CA of another trust domain minted', async () => {
    const foreign = await TestCa.create('west.example');
    const minted = await foreign.issue('/symbolon/node/one', { uris: [one.id] });
    const credential = { svid: { ...one.credential.svid, chain: minted.chain }, privateKey: minted.privateKey };
    // Even if the listener trusts that domain for its own IDs.
    two.bundles = new Map([...ca.bundles, ...foreign.bundles]);
    await refusedByListener(impostor(credential));
    two.bundles = ca.bundles;
  });

  test('a node that the directory does not list; without that check it would be let in', async () => {
    const three = await TestNode.create(ca, 'three');
    three.directory = one.directory;
    await refusedByListener(three);
    const lenient = await listenAs(two, { accept: () => undefined });
    expect((await dialAs(three, lenient)).session.peer.id).toBe(two.id);
    await until(() => lenient.sessions.length === 1);
    expect(lenient.sessions[0]?.peer.id).toBe(three.id);
    await lenient.listener.close();
  });

  describe('a connection', () => {
    /** What the listener has written into its log. */
    const told: string[] = [];
    let heard: ListeningNode;
    beforeAll(async () => {
      const write = (fields: object): void => void told.push('problem' in fields ? String(fields.problem) : '');
      heard = await listenAs(two, { log: { ...silentLogger, debug: write, warn: write } });
    });
    beforeEach(() => void (told.length = 0));
    afterAll(() => heard.listener.close());

    /** Dials with node one's credential and some other options. The client's error, if there is one, and the socket. */
    async function dial(options: ConnectionOptions): Promise<{ readonly socket: TLSSocket; readonly error: () => string | undefined }> {
      let code: string | undefined;
      const socket = connectTls({
        ...sessionTlsOptions(one.credential),
        ALPNProtocols: [SESSION_ALPN],
        ...options,
        host: '127.0.0.1',
        port: heard.listener.port,
        rejectUnauthorized: false,
      });
      socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code)).resume();
      return { socket, error: () => code };
    }

    test('that is as it should be becomes a session (so the rest of these mean something)', async () => {
      const { socket } = await dial({});
      await until(() => heard.sessions.length === 1);
      expect(told).toEqual([]);
      socket.destroy();
    });

    // OpenSSL 3.5 has other names for some alerts than 3.0.
    const handshakeFailure = expect.stringMatching(/^ERR_SSL_(SSLV3|SSL\/TLS)_ALERT_HANDSHAKE_FAILURE$/);
    test.each<[string, ConnectionOptions, RegExp, unknown]>([
      ['of TLS 1.2', { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, /unsupported protocol/, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'],
      ['of another ALPN', { ALPNProtocols: ['h2'] }, /no application protocol/, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'],
      ['that asks for a costly key exchange', { ecdhCurve: 'ffdhe8192' }, /no suitable key share/, handshakeFailure],
      ['without ALPN', { ALPNProtocols: [] }, /^the peer did not agree to symbolon-pair\/1$/, undefined],
      ['without a certificate', { cert: undefined, key: undefined }, /^the peer presented no certificate$/, undefined],
    ])('%s is refused', async (_name, options, problem, alert) => {
      const before = heard.sessions.length;
      const { socket, error } = await dial(options);
      // The end of an earlier connection may be told meanwhile.
      await until(() => socket.destroyed && told.some((text) => problem.test(text)), String(problem));
      if (alert !== undefined) expect(error()).toEqual(alert);
      expect(heard.sessions).toHaveLength(before);
    });
  });
});

describe('the dialler refuses', () => {
  test('another node than the directory names there; one that expected whoever answers would not', async () => {
    const expect2 = { ...server, node: one } as ListeningNode;
    await expect(dialAs(one, expect2)).rejects.toMatchObject({ code: 'SESSION_REFUSED', context: { rule: 'other-node' } });
    expect((await dialAs(one, expect2, { expect: two.id })).session.peer.id).toBe(two.id);
  });

  test('a workload’s SVID in the place of the node’s', async () => {
    const workload = two.workloads.get('10.2.0.2');
    if (!workload) throw new Error('no workload');
    const fake = await listenAs(Object.assign(new TestNode('two', workload, two.bundles), { directory: two.directory }));
    await expect(dialAs(one, fake)).rejects.toMatchObject({ code: 'SESSION_REFUSED', context: { rule: 'not-a-node' } });
    await fake.listener.close();
  });

  test('a port where nobody answers', async () => {
    const gone = await listenAs(two);
    await gone.listener.close();
    await expect(dialAs(one, gone)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('a resumed TLS session', () => {
  const rules = () => ({ verifySvid: (chain: readonly Uint8Array[]) => two.verifySvid(chain), accept: () => undefined });

  test('is refused at both ends, where a server allows one', async () => {
    const accepted: TLSSocket[] = [];
    const { secureOptions: _none, ...loose } = sessionTlsOptions(two.credential);
    const options = { ...loose, requestCert: true, rejectUnauthorized: false, ALPNProtocols: [SESSION_ALPN] };
    const tls = createServer(options, (socket) => void accepted.push(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
    const { port } = tls.address() as AddressInfo;
    const dial = (session?: Buffer) =>
      connectTls({
        ...sessionTlsOptions(one.credential),
        secureOptions: 0,
        ALPNProtocols: [SESSION_ALPN],
        port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ...(session && { session }),
      });
    const first = dial();
    first.resume();
    const ticket = await new Promise<Buffer>((resolve) => first.once('session', resolve));
    const second = dial(ticket);
    await new Promise((resolve) => second.once('secureConnect', resolve));
    await until(() => accepted.length === 2);
    // The attack itself works here; it is our check that stops it.
    expect([second.isSessionReused(), accepted[1]?.isSessionReused()]).toEqual([true, true]);
    for (const end of [second, accepted[1]]) {
      expect(() => verifyNodePeer(end as TLSSocket, rules())).toThrow(expect.objectContaining({ context: { rule: 'resumed' } }));
    }
    for (const socket of [first, second, ...accepted]) socket.destroy();
    await new Promise((resolve) => tls.close(resolve));
  });

  test('is not even possible with our listener', async () => {
    const dial = (session?: Buffer) =>
      connectTls({
        ...sessionTlsOptions(one.credential),
        ALPNProtocols: [SESSION_ALPN],
        port: server.listener.port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ...(session && { session }),
      });
    const first = dial();
    first.resume();
    const ticket = await Promise.race([
      new Promise<Buffer>((resolve) => first.once('session', resolve)),
      new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 500)),
    ]);
    const second = dial(ticket);
    await new Promise((resolve) => second.once('secureConnect', resolve));
    expect(second.isSessionReused()).toBe(false);
    first.destroy();
    second.destroy();
  });
});

describe('a flood of the port', () => {
  test('of connections that say nothing leaves open sessions alone, and its size is bounded', async () => {
    const crowded = await listenAs(two, { limits: { ...ACCEPT_LIMITS, handshakes: 4, handshakesOfOneAddress: 8, waiting: 8 } });
    const { session } = await dialAs(one, crowded);
    const strangers = Array.from({ length: 300 }, () => connectTcp(crowded.listener.port, '127.0.0.1').on('error', () => undefined));
    await until(() => crowded.listener.refusedConnections >= 292);
    expect(await session.authenticate(tcpFlow('10.1.0.2', '10.2.0.2', 80))).toMatchObject({ verdict: 'accepted' });
    for (const socket of strangers) socket.destroy();
    await until(() => strangers.every((s) => s.destroyed));
    // And when it is over, there is room again.
    let again = '';
    for (let i = 0; i < 50 && again !== two.id; i++) {
      again = await dialAs(one, crowded).then(
        ({ session }) => session.peer.id,
        () => '',
      );
    }
    expect(again).toBe(two.id);
    await crowded.listener.close();
  });

  test('an address of no node is not answered at all', async () => {
    const strict = await listenAs(two, { mayConnect: () => false });
    await expect(dialAs(one, strict)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await strict.listener.close();
  });
});
