import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Gauge, Registry } from 'prom-client';
import { serveStatus, type StatusSource } from './status-server.ts';
import { getOverUnix } from './unix/get-over-unix.ts';

const folder = mkdtempSync(join(tmpdir(), 'sy-status-'));
const socket = join(folder, 's.sock');
let problems: string[] = [];
let server: { close(): Promise<void> };
const source: StatusSource = { metrics: new Registry(), status: () => ({ revision: 7n }), problems: () => problems };
const get = (path: string) => getOverUnix(socket, path);

beforeAll(async () => {
  new Gauge({ name: 'symbolon_test', help: 'a test', registers: [source.metrics] }).set(3);
  server = await serveStatus(socket, source);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

test('only the owner may open the socket', () => {
  expect(statSync(socket).mode & 0o777).toBe(0o600);
});

test('health follows the problems', async () => {
  expect(await get('/healthz')).toEqual({ code: 200, body: 'ok\n' });
  problems = ['no revision yet'];
  expect(await get('/healthz')).toEqual({ code: 503, body: 'no revision yet\n' });
  problems = [];
});

test('metrics, status with 64-bit numbers, and what is not there', async () => {
  expect((await get('/metrics')).body).toContain('symbolon_test 3');
  expect(JSON.parse((await get('/status')).body)).toEqual({ revision: '7' });
  expect((await get('/nothing')).code).toBe(404);
  const posted = await new Promise((resolve) => {
    request({ socketPath: socket, path: '/status', method: 'POST' }, ({ statusCode }) => resolve(statusCode)).end();
  });
  expect(posted).toBe(405);
});

test('a socket that a living server answers on is not taken from it, one that a dead server left is', async () => {
  await expect(serveStatus(socket, source)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  expect((await get('/healthz')).code).toBe(200);
  const dead = join(folder, 'dead.sock');
  const killed = spawnSync(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(dead)}, () => process.kill(process.pid, 'SIGKILL'))`,
  ]);
  expect([killed.signal, existsSync(dead)]).toEqual(['SIGKILL', true]);
  const second = await serveStatus(dead, source);
  expect((await getOverUnix(dead, '/healthz')).code).toBe(200);
  await second.close();
});
