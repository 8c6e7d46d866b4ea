import { SymbolonError } from '#core/errors/error';
import { type Clock, systemClock } from '#daemon/clock';
import { serveUnix } from '#daemon/grpc/serve';
import type { UnixLimits } from '#daemon/grpc/serve-limits';
import type { CallContext } from '#daemon/grpc/service';
import type { Logger } from '#daemon/log';
import { SpiffeWorkloadAPIService, X509BundlesResponse, X509SVIDResponse } from '#proto/gen/spiffe/workload';
import { holdPeer, peerUser } from '../kernel/peer-credentials.ts';
import { type FirstWithin, follow } from './follow.ts';
import { identifyCaller } from './identify.ts';
import { x509BundlesResponse, x509SvidResponse } from './messages.ts';
import type { WorkloadApiSource } from './source.ts';
import type { RegistrationEntry } from '#core/registration/entry';

/** Every process may ask; who it is decides what it gets. */
const SOCKET_MODE = 0o666;
/** A caller whose SVID has not come after this long is told to try again (Workload API: Unavailable). An authority at work takes milliseconds. */
export const SVID_GRACE_MS = 5000;
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

/** Streams what `build` makes of the caller's entry, as long as the caller lives and has an identity; undefined: it is still to come. */
async function* streamFor<T>(
  source: WorkloadApiSource,
  clock: Clock,
  call: CallContext,
  build: (entry: RegistrationEntry) => T | undefined,
  encoder: Encoder<T>,
): AsyncGenerator<T, void, undefined> {
  const peer = call.caller.kind === 'socket' ? holdPeer(call.caller.socket) : undefined;
  if (!peer) throw new SymbolonError('PERMISSION_DENIED', 'no identity for this process: it has ended', { what: 'workload identity' });
  const same = (a: T, b: T): boolean => Buffer.from(encoder.encode(a).finish()).equals(encoder.encode(b).finish());
  try {
    yield* follow(source, call.signal, () => build(identifyCaller(peer, source)), same, firstWithin(clock));
  } finally {
    peer.close();
  }
}

function firstWithin(clock: Clock): FirstWithin {
  return {
    clock,
    ms: SVID_GRACE_MS,
    error: () =>
      new SymbolonError('UNAVAILABLE', 'the SVID of this workload has not been issued yet; try again (`symbolon status` says why)', {
        what: 'workload SVID',
      }),
  };
}

/**
 * Serves the SPIFFE Workload API's X.509 profile on a unix socket. A caller is known by the kernel's word alone. Methods of the JWT profile
 * answer Unimplemented. Throws CONFIG_INVALID if the path cannot be taken.
 */
export async function serveWorkloadApi(options: {
  readonly path: string;
  readonly source: WorkloadApiSource;
  readonly log: Logger;
  /** Default: the machine's. */
  readonly clock?: Clock;
  readonly limits?: UnixLimits;
}): Promise<WorkloadApi> {
  const { path, source, log, clock = systemClock, limits = WORKLOAD_API_LIMITS } = options;
  const server = await serveUnix({ path, mode: SOCKET_MODE, ownerOf: (socket) => peerUser(socket)?.toString(), limits, log });
  server.add(
    SpiffeWorkloadAPIService,
    {
      fetchX509Svid: (_request, call) =>
        streamFor(
          source,
          clock,
          call,
          (entry) => {
            const credential = source.credentialOf(entry.id);
            return credential && x509SvidResponse(entry, credential, source.bundles());
          },
          X509SVIDResponse,
        ),
      fetchX509Bundles: (_request, call) =>
        streamFor(source, clock, call, (entry) => x509BundlesResponse(entry, source.bundles()), X509BundlesResponse),
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
