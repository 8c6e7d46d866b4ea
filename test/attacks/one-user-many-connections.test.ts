import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Metadata } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { messagesOf } from '#daemon/grpc/call';
import { openServerStream } from '#daemon/grpc/testing/server-stream';
import { dialUnix, openClient } from '#daemon/grpc/dial';
import type { UnixLimits } from '#daemon/grpc/serve-limits';
import { silentLogger } from '#daemon/log';
import { SpiffeWorkloadAPIService } from '#proto/gen/spiffe/workload';
import { serveWorkloadApi, WORKLOAD_API_LIMITS } from '../../agent/workload-api/serve.ts';

const NOBODY = 65_534;
const CONNECTIONS = 600;
const OFF: UnixLimits = {
  connections: { all: 100_000, ofOne: 100_000, givesWay: 'newcomer' },
  connection: { requestBytes: 4_000_000, calls: 256 },
};

let folder: string;
const closers: (() => Promise<void> | void)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sy-user-'));
  chmodSync(folder, 0o755);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true });
});

async function workloadApi(limits: UnixLimits): Promise<string> {
  const path = join(folder, `${closers.length}.sock`);
  const source = {
    entryOfNamespace: () => undefined,
    credentialOf: () => undefined,
    bundles: () => new Map(),
    subscribe: () => () => undefined,
  };
  const api = await serveWorkloadApi({ path, source, limits, log: silentLogger });
  closers.push(() => api.close());
  return path;
}

/** Another user's process opens connections and holds them; how many it could keep. Whom the server keeps it greets: HTTP/2 begins with its settings. */
async function keptBy(user: number, path: string): Promise<number> {
  const program = `
    let kept = 0, left = ${CONNECTIONS};
    const settle = () => { if (--left === 0) console.log(kept); };
    const open = () => {
      let greeted = false;
      require('net').connect(${JSON.stringify(path)})
        .once('data', () => { greeted = true; kept++; settle(); })
        .on('error', ({ code }) => {
          // So many at once that the kernel's own queue is full for a moment.
          if (code === 'EAGAIN') { left++; setTimeout(open, 10); }
        })
        .on('close', () => greeted ? kept-- : settle());
    };
    for (let i = left; i > 0; i--) open();`;
  const child: ChildProcess = spawn(process.execPath, ['-e', program], { uid: user, gid: user, stdio: ['ignore', 'pipe', 'inherit'] });
  closers.push(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  const [line] = (await once(createInterface(child.stdout as NodeJS.ReadableStream), 'line')) as [string];
  return Number(line);
}

/** The code that another user's call is answered with. */
async function answerTo(path: string): Promise<unknown> {
  const client = openClient(dialUnix(path));
  closers.push(() => client.close());
  const metadata = new Metadata();
  metadata.set('workload.spiffe.io', 'true');
  const method = SpiffeWorkloadAPIService.fetchX509Svid;
  const error: unknown = await messagesOf(openServerStream(client, method, {}, metadata), method)
    .next()
    .catch((e: unknown) => e);
  return (error as { code: string }).code;
}

test('one user’s process takes a share of the Workload API’s connections, and other users are served; without limits it could take them all', async () => {
  const path = await workloadApi(WORKLOAD_API_LIMITS);
  expect(await keptBy(NOBODY, path)).toBe(WORKLOAD_API_LIMITS.connections.ofOne);
  // This process is in no workload's namespace: that is what it is told.
  expect(await answerTo(path)).toBe('PERMISSION_DENIED');
  expect(await keptBy(NOBODY, await workloadApi(OFF))).toBe(CONNECTIONS);
}, 30_000);
