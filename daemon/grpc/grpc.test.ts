import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@grpc/grpc-js';
import { describeError, SymbolonError } from '#core/errors/error';
import { parseSpiffeId } from '#core/spiffe/id';
import type { X509Svid } from '#core/spiffe/svid';
import { TestCa } from '#core/spiffe/testing/ca';
import { addMs, type Instant } from '#core/time/instant';
import { type Clock, systemClock } from '#daemon/clock';
import { silentLogger } from '#daemon/log';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { NodeSyncService, SyncState } from '#proto/gen/symbolon/authority/sync';
import { callUnary, messagesOf, openBidiStream } from './call.ts';
import { describeCaller } from './caller.ts';
import { type TlsCredential, tlsIdentity } from '../tls/credential.ts';
import { type Dial, dialMtls, dialUnix, openClient } from './dial.ts';
import { type GrpcServer, serveTls, serveUnix, type TlsGrpcServer } from './serve.ts';

let SERVER: TlsCredential;
let CLIENT: TlsCredential;
beforeAll(async () => {
  // What the certificates say does not matter here: verification is the caller's.
  const ca = await TestCa.create();
  SERVER = await ca.issueAuthority();
  CLIENT = await ca.issueNode('east-1');
});
const STATUS = { trustDomain: '', version: '', revision: 0n, agents: [], caExpiresAt: 0n };
const same = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;

function serveEcho(server: GrpcServer): void {
  server.add(ControlService, {
    getStatus: async (_request, call) => ({ ...STATUS, trustDomain: describeCaller(call.caller) }),
    getNode: async (request) => {
      if (request.id === 'bug') throw new TypeError('secret detail');
      throw new SymbolonError('NOT_FOUND', `there is no node ${request.id}; see \`symbolon status\``, { what: request.id });
    },
  });
  server.add(NodeSyncService, {
    async *synchronize(reports) {
      for await (const report of reports) yield SyncState.fromPartial({ revision: report.enforcedRevision + 1n });
    },
  });
}

let folder: string;
const closers: (() => Promise<void> | void)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sy-grpc-'));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true });
});

async function unixServer(): Promise<{ server: GrpcServer; path: string }> {
  const path = join(folder, 's.sock');
  const server = await serveUnix({ path, log: silentLogger });
  serveEcho(server);
  closers.push(() => server.close());
  return { server, path };
}

/** How long a client's SVID lives on. */
const LIFETIME_MS = 60_000;

async function tlsServer(host = '127.0.0.1', clock: Clock = systemClock): Promise<TlsGrpcServer> {
  const server = await serveTls({
    host,
    port: 0,
    credential: SERVER,
    clock,
    log: silentLogger,
    verifyClient: (chain): X509Svid => {
      if (!same(chain[0], CLIENT.chain[0])) throw new SymbolonError('SVID_UNTRUSTED', 'unknown client', { rule: 'test' });
      return {
        id: parseSpiffeId('spiffe://east.example/client'),
        chain,
        publicKey: CLIENT.privateKey,
        notBefore: 0 as Instant,
        notAfter: addMs(clock.now(), LIFETIME_MS),
        serialNumber: '01',
      };
    },
  });
  serveEcho(server);
  closers.push(() => server.close());
  return server;
}

function client(dial: Dial): Client {
  const opened = openClient(dial);
  closers.push(() => opened.close());
  return opened;
}

const trusting = (address: string, credential?: TlsCredential): Dial =>
  dialMtls({
    address,
    ...(credential ? { credential: () => credential } : {}),
    verifyServer: (chain) => {
      if (!same(chain[0], SERVER.chain[0])) throw new SymbolonError('SVID_UNTRUSTED', 'not the wanted server', { rule: 'test' });
    },
  });

test('the caller on a unix socket is a local process', async () => {
  const { path } = await unixServer();
  expect((await callUnary(client(dialUnix(path)), ControlService.getStatus, {})).trustDomain).toBe('a local process');
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('a socket file of a dead server is replaced, that of a living one is not', async () => {
  const { server, path } = await unixServer();
  await expect(serveUnix({ path, log: silentLogger })).rejects.toThrow(/another server answers there/);
  await server.close();
  expect(existsSync(path)).toBe(false);
});

test('an error keeps its code, context and message across the wire; a fault of the server keeps its text to itself', async () => {
  const { path } = await unixServer();
  const c = client(dialUnix(path));
  await expect(callUnary(c, ControlService.getNode, { id: 'x', name: '' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    context: { what: 'x' },
    message: 'there is no node x; see `symbolon status`',
  });
  // The status that it came with is kept, and adds no second text to the first.
  const carried = await callUnary(c, ControlService.getNode, { id: 'x', name: '' }).catch((e: unknown) => e);
  expect(carried).toMatchObject({ cause: { code: 5 } });
  expect(describeError(carried)).toBe('there is no node x; see `symbolon status`');
  const fault = await callUnary(c, ControlService.getNode, { id: 'bug', name: '' }).catch((e: unknown) => e);
  expect(fault).toMatchObject({ code: 'RPC_FAILED' });
  expect(String(fault)).not.toContain('secret');
  await expect(callUnary(c, ControlService.listNodes, {})).rejects.toMatchObject({ code: 'RPC_FAILED', context: { status: 12 } });
});

test('a server that is not there is UNAVAILABLE', async () => {
  await expect(callUnary(client(dialUnix(join(folder, 'none'))), ControlService.getStatus, {})).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: `${ControlService.getStatus.path} reached nobody: connect ENOENT ${join(folder, 'none')}`,
  });
});

test.each(['unix', 'tls'])('messages stream both ways over %s', async (kind) => {
  const dial = kind === 'unix' ? dialUnix((await unixServer()).path) : trusting((await tlsServer()).address, CLIENT);
  const stream = openBidiStream(client(dial), NodeSyncService.synchronize);
  const answers = messagesOf(stream, NodeSyncService.synchronize);
  for (const revision of [1n, 41n]) {
    stream.write({ enforcedRevision: revision, agentVersion: '', problem: '' });
    expect((await answers.next()).value).toMatchObject({ revision: revision + 1n });
  }
  stream.end();
  expect((await answers.next()).done).toBe(true);
});

test('a server closes though a stream is open, and the stream fails as UNAVAILABLE', async () => {
  const { server, path } = await unixServer();
  const stream = openBidiStream(client(dialUnix(path)), NodeSyncService.synchronize);
  const answers = messagesOf(stream, NodeSyncService.synchronize);
  stream.write({ enforcedRevision: 1n, agentVersion: '', problem: '' });
  await answers.next();
  const next = answers.next();
  await Promise.all([server.close(), expect(next).rejects.toMatchObject({ code: expect.stringMatching(/UNAVAILABLE|RPC_FAILED/) })]);
});

describe('over TLS', () => {
  test('a verified client is known by its SVID, one without certificate is anonymous, an unverified one is refused', async () => {
    const { address } = await tlsServer();
    const ask = async (credential?: TlsCredential): Promise<string> =>
      (await callUnary(client(trusting(address, credential)), ControlService.getStatus, {})).trustDomain;
    expect(await ask(CLIENT)).toBe('spiffe://east.example/client');
    expect(await ask()).toBe('a caller without a certificate');
    await expect(ask(SERVER)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('over IPv6, by its bracketed address', async () => {
    const { address } = await tlsServer('::1');
    expect(address).toMatch(/^\[::1\]:\d+$/);
    expect((await callUnary(client(trusting(address, CLIENT)), ControlService.getStatus, {})).trustDomain).toContain('/client');
  });

  test('an address that is taken is refused in words', async () => {
    const { port } = await tlsServer();
    const again = serveTls({
      host: '127.0.0.1',
      port,
      credential: SERVER,
      clock: systemClock,
      log: silentLogger,
      verifyClient: () => {
        throw new Error('never');
      },
    });
    await expect(again).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(/cannot listen on 127.0.0.1:\d+/) });
  });

  test('a server that verifyServer refuses is never called', async () => {
    const server = await tlsServer();
    server.setCredential(CLIENT);
    await expect(callUnary(client(trusting(server.address, CLIENT)), ControlService.getStatus, {})).rejects.toThrow(
      /not the wanted server/,
    );
  });

  test('a client without the private key of its certificate does not get through', async () => {
    const { address } = await tlsServer();
    const stolen = { chain: CLIENT.chain, privateKey: SERVER.privateKey };
    await expect(callUnary(client(trusting(address, stolen)), ControlService.getStatus, {})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('a rotated credential is used by the next connection', async () => {
    const { address } = await tlsServer();
    let credential: TlsCredential | undefined;
    const dial = dialMtls({ address, credential: () => credential, verifyServer: () => undefined });
    expect((await callUnary(client(dial), ControlService.getStatus, {})).trustDomain).toBe('a caller without a certificate');
    credential = CLIENT;
    expect((await callUnary(client(dial), ControlService.getStatus, {})).trustDomain).toBe('spiffe://east.example/client');
  });

  test('the connection ends when the SVID of its client does', async () => {
    const now = systemClock.now();
    const timers: { readonly ms: number; readonly run: () => void }[] = [];
    const clock: Clock = {
      now: () => now,
      after: (ms, run) => {
        timers.push({ ms, run });
        return { cancel: () => undefined };
      },
    };
    const { address } = await tlsServer('127.0.0.1', clock);
    const stream = openBidiStream(client(trusting(address, CLIENT)), NodeSyncService.synchronize);
    const answers = messagesOf(stream, NodeSyncService.synchronize);
    stream.write({ enforcedRevision: 1n, agentVersion: '', problem: '' });
    await answers.next();
    expect(timers.map(({ ms }) => ms)).toEqual([LIFETIME_MS]);
    timers[0]?.run();
    await expect(answers.next()).rejects.toBeInstanceOf(SymbolonError);
  });

  test('no session is resumed, and neither TLS 1.2 nor a costly key exchange is spoken', async () => {
    const { port } = await tlsServer();
    const open = (more: object): Promise<TLSSocket> =>
      new Promise((resolve, reject) => {
        const s = connectTls({
          port,
          host: '127.0.0.1',
          ca: [],
          rejectUnauthorized: false,
          ALPNProtocols: ['h2'],
          ...tlsIdentity(CLIENT),
          ...more,
        });
        s.once('secureConnect', () => resolve(s));
        s.once('error', reject);
        closers.push(() => {
          s.destroy();
        });
      });
    const first = await open({});
    const session = await Promise.race([
      new Promise<Buffer>((resolve) => first.once('session', resolve)),
      sleep(300).then(() => first.getSession()),
    ]);
    expect((await open({ session })).isSessionReused()).toBe(false);
    await expect(open({ maxVersion: 'TLSv1.2' })).rejects.toThrow(/alert protocol version|wrong version|unsupported/i);
    await expect(open({ ecdhCurve: 'ffdhe8192' })).rejects.toThrow(/handshake failure/i);
    await open({ ecdhCurve: 'P-256' });
  });
});

test('garbage on either socket, in TLS and in messages leaves the server serving', async () => {
  const { path } = await unixServer();
  const { address, port } = await tlsServer();
  const throwAt = (open: () => NodeJS.WritableStream & { destroy(): void }, bytes: Buffer): Promise<void> =>
    new Promise((resolve) => {
      const s = open();
      s.on('error', () => resolve());
      s.on('close', () => resolve());
      s.write(bytes);
      setTimeout(() => {
        s.destroy();
        resolve();
      }, 100);
    });
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const tls = () => connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  await Promise.all(
    [() => connect(path), () => connect(port, '127.0.0.1'), tls].flatMap((open) => [
      throwAt(open, randomBytes(2000)),
      throwAt(open, Buffer.concat([preface, randomBytes(2000)])),
      throwAt(open, Buffer.concat([preface, Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]), randomBytes(500)])),
    ]),
  );
  for (const c of [client(dialUnix(path)), client(trusting(address))]) {
    const bytes = { requestSerialize: (b: Buffer) => b };
    await expect(
      callUnary(c, { ...ControlService.getNode, ...bytes } as never, Buffer.from([0x0a, 0xff, 0xff]) as never),
    ).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    });
    const huge = { ...ControlService.getNode, ...bytes } as never;
    await expect(callUnary(c, huge, Buffer.alloc(5 * 1024 * 1024) as never)).rejects.toMatchObject({
      code: 'RPC_FAILED',
      context: { status: 8 },
    });
    await callUnary(c, ControlService.getStatus, {});
  }
});
