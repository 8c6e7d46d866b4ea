import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Gauge, Registry } from 'prom-client';
import { serveStatus } from './status-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'sy-status-'));
const socket = join(folder, 's.sock');
let problems: string[] = [];
let server: { close(): Promise<void> };

beforeAll(async () => {
  const metrics = new Registry();
  new Gauge({ name: 'symbolon_test', help: 'a test', registers: [metrics] }).set(3);
  server = await serveStatus(socket, { metrics, status: () => ({ revision: 7n }), problems: () => problems });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function get(path: string, method = 'GET'): Promise<{ code: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: socket, path, method }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => resolve({ code: response.statusCode ?? 0, body }));
    });
    call.on('error', reject);
    call.end();
  });
}

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
  expect((await get('/status', 'POST')).code).toBe(405);
});
