import { SymbolonError } from '#core/errors/error';
import { serveUnix } from '#daemon/grpc/serve';
import type { UnixLimits } from '#daemon/grpc/serve-limits';
import type { CallContext } from '#daemon/grpc/service';
import type { Logger } from '#daemon/log';
import { SpiffeWorkloadAPIService, X509BundlesResponse, X509SVIDResponse } from '#proto/gen/spiffe/workload';
import { holdPeer, peerUser } from '../kernel/peer-credentials.ts';
import { follow } from './follow.ts';
import { identifyCaller } from './identify.ts';
import { x509BundlesResponse, x509SvidResponse } from './messages.ts';
import type { WorkloadApiSource } from './source.ts';
import type { RegistrationEntry } from '#core/registration/entry';

/** Every process may ask; who it is decides what it gets. */
const SOCKET_MODE = 0o666;
/** Workload Endpoint section 3: keeps a browser or a confused proxy from being an unwitting client. */
const SECURITY_HEADER = 'workload.spiffe.io';

/** By user. A call holds a process handle besides its connection, so one connection has few: clients keep one stream of each kind. */
export const WORKLOAD_API_LIMITS: UnixLimits = {
  connections: { all: 2048, ofOne: 256, givesWay: 'newcomer' },
  connection: { requestBytes: 16 * 1024, calls: 8 },
};

export interface WorkloadApi {
  readonly path: string;
  close(): Promise<void>;
}

function checkHeader({ metadata }: CallContext): void {
  const values = metadata.get(SECURITY_HEADER);
  if (values.length === 1 && values[0] === 'true') return;
  throw new SymbolonError('REQUEST_INVALID', `the security header is missing; send the metadata ${SECURITY_HEADER}: true`, {
    field: SECURITY_HEADER,
    value: values.join(),
  });
}

/** Methods of the JWT profile have handlers, so that the header is asked for before they are refused (Workload Endpoint section 3). */
function notImplemented({ path }: CallContext): never {
  throw new SymbolonError('NOT_IMPLEMENTED', `${path} is not served: this agent has X509-SVIDs only`, { what: path });
}

interface Encoder<T> {
  encode(message: T): { finish(): Uint8Array };
}

/** Streams what `build` makes of the caller's entry, as long as the caller lives and has an identity. */
async function* streamFor<T>(
  source: WorkloadApiSource,
  call: CallContext,
  build: (entry: RegistrationEntry) => T | undefined,
  encoder: Encoder<T>,
): AsyncGenerator<T, void, undefined> {
  const peer = call.caller.kind === 'socket' ? holdPeer(call.caller.socket) : undefined;
  if (!peer) throw new SymbolonError('PERMISSION_DENIED', 'no identity for this process: it has ended', { what: 'workload identity' });
  const same = (a: T, b: T): boolean => Buffer.from(encoder.encode(a).finish()).equals(encoder.encode(b).finish());
  try {
    yield* follow(source, call.signal, () => build(identifyCaller(peer, source)), same);
  } finally {
    peer.close();
  }
}

/**
 * Serves the SPIFFE Workload API's X.509 profile on a unix socket. A caller is known by the kernel's word alone. Methods of the JWT profile
 * answer Unimplemented. Throws CONFIG_INVALID if the path cannot be taken.
 */
export async function serveWorkloadApi(options: {
  readonly path: string;
  readonly source: WorkloadApiSource;
  readonly log: Logger;
  readonly limits?: UnixLimits;
}): Promise<WorkloadApi> {
  const { path, source, log, limits = WORKLOAD_API_LIMITS } = options;
  const server = await serveUnix({ path, mode: SOCKET_MODE, ownerOf: (socket) => peerUser(socket)?.toString(), limits, log });
  server.add(
    SpiffeWorkloadAPIService,
    {
      fetchX509Svid: (_request, call) =>
        streamFor(
          source,
          call,
          (entry) => {
            const credential = source.credentialOf(entry.id);
            return credential && x509SvidResponse(entry, credential, source.bundles());
          },
          X509SVIDResponse,
        ),
      fetchX509Bundles: (_request, call) =>
        streamFor(source, call, (entry) => x509BundlesResponse(entry, source.bundles()), X509BundlesResponse),
      fetchJwtsvid: async (_request, call) => notImplemented(call),
      // oxlint-disable-next-line require-yield
      fetchJwtBundles: async function* (_request, call) {
        notImplemented(call);
      },
      validateJwtsvid: async (_request, call) => notImplemented(call),
    },
    {
      authorise: checkHeader,
      onDone: (call, { status, ms, error }) => log.debug({ method: call.path, status, ms, error }, 'a Workload API call is over'),
    },
  );
  return { path, close: () => server.close() };
}
