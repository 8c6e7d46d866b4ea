import { get } from 'node:http';

const TIMEOUT_MS = 5000;

/** HTTP GET on a unix socket: the code, and the body as text. Rejects if nobody answers within 5 s. */
export function getOverUnix(socketPath: string, path: string): Promise<{ readonly code: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const request = get({ socketPath, path, timeout: TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ code: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error(`no answer on ${socketPath} within ${TIMEOUT_MS} ms`)));
    request.on('error', reject);
  });
}
