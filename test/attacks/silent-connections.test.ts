import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { TestCa } from '#core/spiffe/testing/ca';
import { ACCEPT_LIMITS, type AcceptLimits } from '../../agent/session/accept-queue.ts';
import { listenAs, type ListeningNode, until } from '../../agent/session/testing/links.ts';
import { linkNodes, TestNode } from '../../agent/session/testing/test-node.ts';
import { UNLIMITED } from '../setup/unlimited.ts';

const CONNECTIONS = 200;

let node: TestNode;
const sockets: Socket[] = [];
const servers: ListeningNode[] = [];

beforeAll(async () => {
  node = await TestNode.create(await TestCa.create(), 'one');
  linkNodes([node]);
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(() => Promise.all(servers.map((server) => server.listener.close())));

/** Connections that say nothing: how many does the listener keep? */
async function kept(limits: AcceptLimits): Promise<number> {
  const server = await listenAs(node, { limits });
  servers.push(server);
  let connected = 0;
  let closed = 0;
  for (let i = 0; i < CONNECTIONS; i++) {
    const socket = connect(server.listener.port, '127.0.0.1');
    socket.on('error', () => undefined).on('connect', () => connected++);
    socket.on('close', () => closed++).resume();
    sockets.push(socket);
  }
  await until(() => connected === CONNECTIONS && closed >= server.listener.refusedConnections, 'the connections', 4000);
  // What is refused is refused at once: what is still open by now is kept. In steps, so that what has come while this process stood still is heard.
  for (let i = 0; i < 30; i++) await sleep(10);
  return CONNECTIONS - closed;
}

test('one address cannot fill an agent with connections that say nothing; without limits it could', async () => {
  expect(await kept(ACCEPT_LIMITS)).toBe(ACCEPT_LIMITS.handshakesOfOneAddress);
  expect(await kept(UNLIMITED)).toBe(CONNECTIONS);
}, 20_000);
