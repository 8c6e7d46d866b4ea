import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import { describeError } from '#core/errors/error';
import { listenUnix } from './unix/listen-unix.ts';

/** What a daemon shows of itself on its unix socket. */
export interface StatusSource {
  readonly metrics: Registry;
  /** Anything that JSON can hold; no secrets. */
  status(): object;
  /** What is wrong, in words; empty = healthy. */
  problems(): readonly string[];
}

async function answer(source: StatusSource, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const send = (code: number, type: string, body: string): void => {
    response.writeHead(code, { 'content-type': type }).end(body);
  };
  if (request.method !== 'GET') return send(405, 'text/plain', 'only GET\n');
  switch (request.url ?? '') {
    case '/healthz': {
      const problems = source.problems();
      return send(problems.length ? 503 : 200, 'text/plain', problems.length ? `${problems.join('\n')}\n` : 'ok\n');
    }
    case '/metrics':
      return send(200, source.metrics.contentType, await source.metrics.metrics());
    case '/status':
      return send(
        200,
        'application/json',
        `${JSON.stringify(source.status(), (_, v: unknown) => (typeof v === 'bigint' ? v.toString() : v), 2)}\n`,
      );
    default:
      return send(404, 'text/plain', 'there are /healthz, /metrics and /status\n');
  }
}

/**
 * Serves `/healthz`, `/metrics` (Prometheus) and `/status` (JSON) by HTTP on a unix socket that only its owner may open. Throws CONFIG_INVALID if the
 * path cannot be taken.
 */
export async function serveStatus(path: string, source: StatusSource): Promise<{ close(): Promise<void> }> {
  const server = createServer((request, response) => {
    answer(source, request, response).catch((error: unknown) => {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(`${describeError(error)}\n`);
    });
  });
  await listenUnix(server, path, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
