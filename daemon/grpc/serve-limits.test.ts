import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { type Client, Metadata } from '@grpc/grpc-js';
import { TEST_NOW, TestCa } from '#core/spiffe/testing/ca';
import { verifyX509Svid } from '#core/spiffe/verify';
import { instantFromMs } from '#core/time/instant';
import { type Clock, systemClock } from '#daemon/clock';
import { silentLogger } from '#daemon/log';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { callUnary } from './call.ts';
import { describeCaller } from './caller.ts';
import { dialMtls, dialUnix, openClient } from './dial.ts';
import type { PlaceLimits } from './places.ts';
import { type GrpcServer, serveTls, serveUnix, type TlsServe } from './serve.ts';
import { type ConnectionLimits, TLS_LIMITS, type TlsLimits, UNIX_LIMITS, type UnixLimits } from './serve-limits.ts';
import { type TlsCredential, tlsIdentity } from '../tls/credential.ts';

const CROWD = 100;
const UNLIMITED: PlaceLimits = { all: 100_000, ofOne: 100_000, givesWay: 'newcomer' };
const GENEROUS: ConnectionLimits = UNIX_LIMITS.connection;
const OFF: TlsLimits = {
  handshakes: UNLIMITED,
  strangers: UNLIMITED,
  stranger: GENEROUS,
  strangerLifetimeMs: 2 ** 31 - 1,
  known: UNLIMITED,
  connection: GENEROUS,
};
const UNIX_OFF: UnixLimits = { connections: UNLIMITED, connection: GENEROUS };

let ca: TestCa;
let node: TlsCredential;
let workload: TlsCredential;
beforeAll(async () => {
  ca = await TestCa.create();
  [node, workload] = [await ca.issueNode('east-1'), await ca.issueWorkload('/web', 'east-1')];
});

let folder: string;
const closers: (() => Promise<void> | void)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sy-limits-'));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true });
});

function serving<S extends GrpcServer>(server: S): S {
  server.add(ControlService, {
    getStatus: async (_request, call) => ({
      trustDomain: describeCaller(call.caller),
      version: '',
      revision: 0n,
      agents: [],
      caExpiresAt: 0n,
    }),
  });
  closers.push(() => server.close());
  return server;
}

async function tlsServer(limits: TlsLimits, more: Partial<TlsServe> = {}) {
  const clock: Clock = { ...systemClock, now: () => instantFromMs(TEST_NOW) };
  const verifyClient = (chain: readonly Uint8Array[]) => verifyX509Svid(chain, ca.bundles, TEST_NOW);
  const credential = await ca.issueAuthority();
  return serving(await serveTls({ host: '127.0.0.1', port: 0, credential, verifyClient, limits, clock, log: silentLogger, ...more }));
}

function client(address: string, credential?: TlsCredential): Client {
  const opened = openClient(dialMtls({ address, ...(credential && { credential: () => credential }), verifyServer: () => undefined }));
  closers.push(() => opened.close());
  return opened;
}
const ask = async (of: Client): Promise<string> => (await callUnary(of, ControlService.getStatus, {})).trustDomain;

/** Many connections at once; how many of them are open, once all have come as far as they get. */
async function crowd(open: () => Socket, ready: 'connect' | 'secureConnect', count = CROWD): Promise<{ readonly open: number }> {
  const alive = new Set<Socket>();
  const arrive = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = open();
      alive.add(socket);
      socket.on('error', () => undefined).once(ready, resolve);
      socket.once('close', () => (alive.delete(socket), resolve())).resume();
      closers.push(() => void socket.destroy());
    });
  await Promise.all(Array.from({ length: count }, arrive));
  // What is refused is refused at once: what is still open by now is kept. In steps, so that what has come while this process stood still is heard.
  for (let i = 0; i < 30; i++) await sleep(10);
  return {
    get open() {
      return alive.size;
    },
  };
}
const silent = (port: number) => () => connect(port, '127.0.0.1');
const withTls = (port: number, credential?: TlsCredential) => () =>
  connectTls({ port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false, ...(credential && tlsIdentity(credential)) });

describe('of a crowd from one address there are kept at most', () => {
  test.each<[string, (port: number) => () => Socket, 'connect' | 'secureConnect', number]>([
    ['handshakes that do not go on', silent, 'connect', TLS_LIMITS.handshakes.ofOne],
    ['connections of strangers', withTls, 'secureConnect', TLS_LIMITS.strangers.ofOne],
    ['connections by one SVID', (port) => withTls(port, node), 'secureConnect', TLS_LIMITS.known.ofOne],
  ])('as many %s as one may have; without limits all of them', async (_what, open, ready, most) => {
    const handshakes = ready === 'connect' ? TLS_LIMITS.handshakes : UNLIMITED;
    const limited = await crowd(open((await tlsServer({ ...TLS_LIMITS, handshakes })).port), ready);
    expect(limited.open).toBe(most);
    const unlimited = await crowd(open((await tlsServer(OFF)).port), ready);
    expect(unlimited.open).toBe(CROWD);
  });
});

test.each(['silent', 'strangers'])(
  'a node gets in though a crowd of %s is there from the same address, and so does a stranger',
  async (kind) => {
    const { address, port } = await tlsServer(TLS_LIMITS);
    await crowd((kind === 'silent' ? silent : withTls)(port), kind === 'silent' ? 'connect' : 'secureConnect');
    expect(await ask(client(address, node))).toContain('/symbolon/node/east-1');
    expect(await ask(client(address))).toBe('a caller without a certificate');
  },
);

test('a stranger’s connection ends after its time, whatever it does; a node’s does not', async () => {
  const { address, port } = await tlsServer({ ...TLS_LIMITS, strangerLifetimeMs: 500 });
  const known = await crowd(withTls(port, node), 'secureConnect', 3);
  const strangers = await crowd(withTls(port), 'secureConnect', 3);
  const busy = client(address);
  // Its connection is cut, too, and made anew: a call in the middle of that fails.
  for (const end = Date.now() + 20_000; strangers.open > 0 && Date.now() < end; await sleep(50)) await ask(busy).catch(() => undefined);
  expect(strangers.open).toBe(0);
  expect(known.open).toBe(3);
  expect((await crowd(withTls((await tlsServer(OFF)).port), 'secureConnect', 3)).open).toBe(3);
});

test('whoever is verified and of no use here is served like a stranger', async () => {
  const isKnown: TlsServe['isKnown'] = ({ id }) => id.includes('/node/');
  const size = (of: Client, bytes: number): Promise<number> =>
    new Promise((resolve) => {
      const { path } = ControlService.getStatus;
      of.makeUnaryRequest(
        path,
        (b: Buffer) => b,
        (b) => b,
        Buffer.concat([Buffer.from('7a', 'hex'), varint(bytes), Buffer.alloc(bytes)]),
        new Metadata(),
        {},
        (e) => resolve(e?.code ?? 0),
      );
    });
  const { address } = await tlsServer(TLS_LIMITS, { isKnown });
  expect(await ask(client(address, workload))).toBe('spiffe://east.example/web');
  const RESOURCE_EXHAUSTED = 8;
  expect(await size(client(address, workload), 20_000)).toBe(RESOURCE_EXHAUSTED);
  expect(await size(client(address), 20_000)).toBe(RESOURCE_EXHAUSTED);
  expect(await size(client(address), 10_000)).toBe(0);
  expect(await size(client(address, node), 20_000)).toBe(0);
  const { port } = await tlsServer({ ...TLS_LIMITS, handshakes: UNLIMITED }, { isKnown });
  expect((await crowd(withTls(port, workload), 'secureConnect')).open).toBe(TLS_LIMITS.strangers.ofOne);
});

/** A protobuf varint. */
function varint(value: number): Buffer {
  const bytes = [];
  for (let left = value; ; left >>>= 7) {
    bytes.push(left > 0x7f ? (left & 0x7f) | 0x80 : left);
    if (left <= 0x7f) return Buffer.from(bytes);
  }
}

describe('on a unix socket', () => {
  /** The first CROWD connections are the crowd's, later ones somebody else's. */
  async function unixServer(limits: UnixLimits): Promise<string> {
    const path = join(folder, `${closers.length}.sock`);
    let seen = 0;
    const ownerOf = (): string => (seen++ < CROWD ? 'crowd' : 'other');
    serving(await serveUnix({ path, mode: 0o666, ownerOf, limits, log: silentLogger }));
    return path;
  }

  test('one owner gets a share, and leaves room for another; without limits he would get all', async () => {
    const connections: PlaceLimits = { ...UNIX_LIMITS.connections, all: 80, ofOne: 10 };
    const path = await unixServer({ ...UNIX_LIMITS, connections });
    expect((await crowd(() => connect(path), 'connect')).open).toBe(10);
    const other = openClient(dialUnix(path));
    closers.push(() => other.close());
    expect(await ask(other)).toBe('a local process');
    const open = await unixServer(UNIX_OFF);
    expect((await crowd(() => connect(open), 'connect')).open).toBe(CROWD);
  });

  test('a connection that is nobody’s any more is closed', async () => {
    const path = join(folder, 's.sock');
    serving(await serveUnix({ path, ownerOf: () => undefined, log: silentLogger }));
    expect((await crowd(() => connect(path), 'connect', 3)).open).toBe(0);
  });
});
