import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SyncState } from '#proto/gen/symbolon/authority/sync';
import { certificatesToPem } from '#core/spiffe/pem';
import { credentialFromPem, type TlsCredential } from '#daemon/tls/credential';
import { writePrivateFile } from '#daemon/unix/private-file';

/** The data directory: what lets an agent restart without a new token, and without its authority. Everything in it is 0600. */
export interface NodeFiles {
  loadCredential(): TlsCredential | undefined;
  saveCredential(credential: TlsCredential): void;
  loadState(): SyncState | undefined;
  saveState(state: SyncState): void;
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Opens (makes, 0700) the data directory. Key and chain are one file, so that they are replaced together. Loading throws what cannot be
 * parsed; the caller decides what a damaged file means.
 */
export function openNodeFiles(directory: string): NodeFiles {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const credentialPath = join(directory, 'node.pem');
  const statePath = join(directory, 'state.pb');
  return {
    loadCredential() {
      const pem = readIfThere(credentialPath)?.toString('utf8');
      return pem === undefined ? undefined : credentialFromPem(pem, pem);
    },
    saveCredential({ chain, privateKey }) {
      writePrivateFile(credentialPath, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() + certificatesToPem(chain));
    },
    loadState() {
      const bytes = readIfThere(statePath);
      return bytes && SyncState.decode(bytes);
    },
    saveState: (state) => writePrivateFile(statePath, SyncState.encode(state).finish()),
  };
}
