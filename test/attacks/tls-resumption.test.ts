import { type AddressInfo } from 'node:net';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TestCa } from '#core/spiffe/testing/ca';
import { until } from '../../agent/session/testing/links.ts';
import { TestNode } from '../../agent/session/testing/test-node.ts';
import { SESSION_ALPN, sessionTlsOptions } from '../../agent/session/tls.ts';
import { type PeerRules, verifyNodePeer } from '../../agent/session/verify-peer.ts';

let one: TestNode;
let two: TestNode;
let rules: PeerRules;
const open: TLSSocket[] = [];
const servers: Server[] = [];

beforeAll(async () => {
  const ca = await TestCa.create();
  [one, two] = [await TestNode.create(ca, 'one'), await TestNode.create(ca, 'two')];
  rules = { verifySvid: (chain) => two.verifySvid(chain), accept: () => undefined };
});
afterAll(async () => {
  for (const socket of open) socket.destroy();
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
});

/** A server with node two's SVID and the options of node sessions, but for those given. */
async function serve(changes: { readonly secureOptions?: number }): Promise<{ readonly port: number; readonly accepted: TLSSocket[] }> {
  const accepted: TLSSocket[] = [];
  const wish = { requestCert: true, rejectUnauthorized: false, ALPNProtocols: [SESSION_ALPN] };
  const server = createServer({ ...sessionTlsOptions(two.credential), ...wish, ...changes }, (socket) => {
    open.push(socket.on('error', () => undefined));
    accepted.push(socket);
    socket.on('data', (bytes: Buffer) => socket.write(bytes));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, accepted };
}

/** Dials as node one; with a ticket as somebody who has nothing else: neither its SVID nor its key. */
async function dial(port: number, ticket?: Buffer): Promise<TLSSocket> {
  const { cert, key, ...rest } = sessionTlsOptions(one.credential);
  const proof = ticket ? { session: ticket } : { cert, key };
  const to = { host: '127.0.0.1', port, ALPNProtocols: [SESSION_ALPN], rejectUnauthorized: false };
  const socket = connect({ ...rest, secureOptions: 0, ...proof, ...to });
  open.push(socket.on('error', () => undefined));
  socket.resume();
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  return socket;
}

/** The first ticket; undefined if none has come before the echo: a server sends its tickets before it reads. */
async function ticketFrom(port: number): Promise<Buffer | undefined> {
  const socket = await dial(port);
  socket.write('hello');
  return await new Promise((resolve) => socket.once('session', resolve).once('data', () => resolve(undefined)));
}

/** Somebody with a ticket of node one, who tries to go on with it. */
async function thiefAt(port: number): Promise<TLSSocket> {
  return await dial(port, await ticketFrom(port));
}

test("a node's listener resumes nothing; with tickets allowed it would, for whoever has one", async () => {
  expect((await thiefAt((await serve({})).port)).isSessionReused()).toBe(false);
  expect((await thiefAt((await serve({ secureOptions: 0 })).port)).isSessionReused()).toBe(true);
});

test('a resumed session is refused even so; without that check its bearer would be the node', async () => {
  const loose = await serve({ secureOptions: 0 });
  await thiefAt(loose.port);
  await until(() => loose.accepted.length === 2);
  const [, resumed] = loose.accepted;
  if (!resumed) throw new Error('no second connection');
  expect(() => verifyNodePeer(resumed, rules)).toThrow(expect.objectContaining({ context: { rule: 'resumed' } }));
  resumed.isSessionReused = () => false;
  expect(verifyNodePeer(resumed, rules).id).toBe(one.id);
});
