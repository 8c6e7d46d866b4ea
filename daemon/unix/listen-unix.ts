import { rmSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { SymbolonError } from '#core/errors/error';

/** sockaddr_un.sun_path, with its final zero (unix(7)). */
const MAX_PATH_BYTES = 107;

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

/**
 * Makes a server listen on a unix socket whose file has the mode from its first moment. A file that no server answers on is replaced.
 * Throws CONFIG_INVALID if the path is too long, taken by a living server, or not writable.
 */
export async function listenUnix(server: Server, path: string, mode: number): Promise<void> {
  const fail = (why: string, cause?: unknown): never => {
    throw new SymbolonError('CONFIG_INVALID', `cannot listen on the unix socket ${path}: ${why}`, { path: 'socket', value: path }, cause);
  };
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) fail(`the path is longer than ${MAX_PATH_BYTES} bytes; choose a shorter folder`);
  if (await isAlive(path)) fail('another server answers there; stop it or choose another path');
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error): void => reject(error);
    server.once('error', failed);
    // The socket's file is made inside listen(): with any other umask it would be open to others for a moment.
    const before = process.umask(0o777 & ~mode);
    try {
      server.listen(path, () => {
        server.removeListener('error', failed);
        resolve();
      });
    } finally {
      process.umask(before);
    }
  }).catch((error: unknown) => fail(error instanceof Error ? error.message : String(error), error));
}
