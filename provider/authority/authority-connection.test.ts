import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { describeError } from '#core/errors/error';
import { parseTrustDomain } from '#core/spiffe/id';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { FakeAuthority } from '../testing/fake-authority.ts';
import { AuthorityConnection } from './authority-connection.ts';

const EAST = parseTrustDomain('east.example');
const never = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), 'sy-conn-'));
let connection: AuthorityConnection;
afterEach(() => connection.close());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const connect = (name: string): AuthorityConnection => {
  connection = new AuthorityConnection(EAST, { kind: 'unix', path: join(folder, name) });
  return connection;
};

describe('an authority that accepts and does not answer', () => {
  let silent: Server;
  const sockets: Socket[] = [];
  beforeAll(async () => {
    silent = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => silent.listen(join(folder, 'silent.sock'), resolve));
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  test('is named with its endpoint and what to do, and waited for once', async () => {
    const authority = connect('silent.sock');
    let asked = 0;
    const list = (): Promise<unknown> =>
      authority.list('nodes', () => {
        asked += 1;
        return authority.read(ControlService.listNodes, {}, never, 300);
      });
    await expect(list()).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: `the authority of east.example at unix socket ${join(folder, 'silent.sock')} did not answer within 300ms; look at its log, restart it if it hangs, and repeat`,
    });
    await expect(list()).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(asked).toBe(1);
  });
});

test('an authority that is not there is asked for a list once', async () => {
  const authority = connect('nowhere.sock');
  let asked = 0;
  const list = (): Promise<unknown> =>
    authority.list('nodes', () => {
      asked += 1;
      return authority.read(ControlService.listNodes, {}, never);
    });
  await expect(list()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(list()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(asked).toBe(1);
});

test('a refusal is not kept, and is said once', async () => {
  const fake = new FakeAuthority('east.example');
  await fake.serve(join(folder, 'fake.sock'));
  try {
    const authority = connect('fake.sock');
    let asked = 0;
    const remove = (): Promise<unknown> =>
      authority.list('x', () => {
        asked += 1;
        return authority.read(ControlService.deleteNode, { id: 'none' }, never);
      });
    const error = await remove().catch((refusal: unknown) => refusal);
    expect(describeError(error)).toBe('there is no object with the id none');
    await expect(remove()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(asked).toBe(2);
  } finally {
    await fake.close();
  }
});
