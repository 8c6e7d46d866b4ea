import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { holdPeer, peerUser } from './peer-credentials.ts';

let directory: string;
let server: Server;
let child: ChildProcess | undefined;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sy-peer-'));
  server = createServer().listen(join(directory, 's'));
  await once(server, 'listening');
});
afterEach(() => {
  child?.kill('SIGKILL');
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Another process connects and stays. */
async function connectFromChild(): Promise<Socket> {
  const connected = once(server, 'connection') as Promise<[Socket]>;
  child = spawn(process.execPath, ['-e', `require('net').connect(${JSON.stringify(join(directory, 's'))})`], { stdio: 'ignore' });
  const [socket] = await connected;
  socket.on('error', () => undefined);
  return socket;
}

test('the peer is the process that connected', async () => {
  const socket = await connectFromChild();
  const peer = holdPeer(socket);
  expect(peer?.pid).toBe(child?.pid);
  expect(peer?.isAlive()).toBe(true);
  child?.kill('SIGKILL');
  await once(child as ChildProcess, 'exit');
  expect(peer?.isAlive()).toBe(false);
  peer?.close();
  socket.destroy();
});

test('there is no peer once it has ended before, or the socket is closed', async () => {
  const socket = await connectFromChild();
  child?.kill('SIGKILL');
  await once(child as ChildProcess, 'exit');
  const late = holdPeer(socket);
  // A kernel may still hand out a reference to the dead process; it is never alive.
  expect(late?.isAlive() ?? false).toBe(false);
  late?.close();
  socket.destroy();
  expect(holdPeer(socket)).toBeUndefined();
});

test('the user is the one who connected; of a closed socket there is none', async () => {
  const socket = await connectFromChild();
  expect(peerUser(socket)).toBe(process.geteuid?.());
  socket.destroy();
  expect(peerUser(socket)).toBeUndefined();
});
