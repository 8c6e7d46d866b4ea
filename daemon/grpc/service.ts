import type {
  Metadata,
  MethodDefinition,
  sendUnaryData,
  Server,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
} from '@grpc/grpc-js';
import { SymbolonError } from '#core/errors/error';
import type { Caller } from './caller.ts';
import { errorToStatus, statusCodeOf } from './status.ts';

/** What a handler knows about its call besides the request. `signal` aborts when the caller is gone or the call is over. */
export interface CallContext {
  readonly caller: Caller;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly metadata: Metadata;
  readonly signal: AbortSignal;
}

/** A method as ts-proto generates it. */
type Method = Pick<MethodDefinition<unknown, unknown>, 'path' | 'requestStream' | 'responseStream'>;
/** A service as ts-proto generates it. */
export type Service = Readonly<Record<string, Method>>;
type RequestOf<M> = M extends { readonly requestDeserialize: (bytes: Buffer) => infer Request } ? Request : never;
type ResponseOf<M> = M extends { readonly responseSerialize: (value: infer Response) => Buffer } ? Response : never;

/** Answers a method: a promise for unary methods, an async iterable where the answers stream; streamed requests are an async iterable. */
export type Handler<M> = M extends { readonly requestStream: true }
  ? (requests: AsyncIterable<RequestOf<M>>, call: CallContext) => AsyncIterable<ResponseOf<M>>
  : M extends { readonly responseStream: true }
    ? (request: RequestOf<M>, call: CallContext) => AsyncIterable<ResponseOf<M>>
    : (request: RequestOf<M>, call: CallContext) => Promise<ResponseOf<M>>;

/** The handlers of a service; a method without one answers UNIMPLEMENTED. */
export type Handlers<S extends Service> = { readonly [K in keyof S]?: Handler<S[K]> };

/** What surrounds every call of a server. */
export interface CallHooks {
  /** Throws if the caller may not make this call. Runs before the request is looked at. */
  readonly authorise?: (call: CallContext) => Promise<void> | void;
  /** A call is over; `error` is what was thrown. */
  readonly onDone?: (call: CallContext, result: { readonly status: number; readonly ms: number; readonly error?: unknown }) => void;
}

/** Client streaming without streamed answers is used by none of our services. */
type AnyCall = ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>;
type AnyHandler = (request: unknown, call: CallContext) => Promise<unknown> | AsyncIterable<unknown>;

/** A request that could not be read: grpc-js answers what deserialisation throws as INTERNAL, so it is passed on as a value. */
class Unreadable {
  readonly cause: unknown;
  constructor(cause: unknown) {
    this.cause = cause;
  }
}

function readable(message: unknown, path: string): unknown {
  if (!(message instanceof Unreadable)) return message;
  throw new SymbolonError('REQUEST_INVALID', `the request to ${path} is not a readable message`, { field: '', value: '' }, message.cause);
}

async function* requestsOf(call: ServerDuplexStream<unknown, unknown>, context: CallContext): AsyncGenerator<unknown, void, undefined> {
  try {
    // The stream is also what answers are written to: its reader must not destroy it.
    for await (const message of call.iterator({ destroyOnReturn: false })) yield readable(message, context.path);
  } catch (error) {
    if (!context.signal.aborted) throw error;
  }
}

/** Adds a generated service to a server. A handler that throws fails its own call and nothing else. */
export function addService<S extends Service>(
  server: Server,
  service: S,
  handlers: Handlers<S>,
  callerOf: (peer: string) => Caller,
  hooks: CallHooks = {},
): void {
  const definition: Record<string, MethodDefinition<unknown, unknown>> = {};
  const implementation: Record<string, (call: AnyCall, done?: sendUnaryData<unknown>) => void> = {};
  for (const [name, generated] of Object.entries(service)) {
    const method = generated as MethodDefinition<unknown, unknown>;
    definition[name] = {
      ...method,
      requestDeserialize: (bytes) => {
        try {
          return method.requestDeserialize(bytes);
        } catch (error) {
          return new Unreadable(error);
        }
      },
    };
    const handler = handlers[name] as AnyHandler | undefined;
    if (!handler) continue;
    implementation[name] = (call, done) => {
      const ended = new AbortController();
      (call as ServerUnaryCall<unknown, unknown>).on('cancelled', () => {
        ended.abort();
        // A reader of a streamed request would otherwise wait for ever.
        if (method.requestStream) (call as ServerDuplexStream<unknown, unknown>).destroy();
      });
      const context: CallContext = { caller: callerOf(call.getPeer()), path: method.path, metadata: call.metadata, signal: ended.signal };
      const started = performance.now();
      const finish = (error?: unknown): void => {
        ended.abort();
        const status = error === undefined ? 0 : statusCodeOf(error);
        hooks.onDone?.(context, { status, ms: performance.now() - started, ...(error === undefined ? {} : { error }) });
      };
      const refuse = (error: unknown): void => {
        const status = errorToStatus(error);
        if (done) done(status);
        else (call as ServerWritableStream<unknown, unknown>).emit('error', status);
        finish(error);
      };
      void run(call, done, method, handler, context, hooks).then(() => finish(), refuse);
    };
  }
  server.addService(definition, implementation);
}

async function run(
  call: AnyCall,
  done: sendUnaryData<unknown> | undefined,
  method: MethodDefinition<unknown, unknown>,
  handler: AnyHandler,
  context: CallContext,
  hooks: CallHooks,
): Promise<void> {
  await hooks.authorise?.(context);
  const request = method.requestStream
    ? requestsOf(call as ServerDuplexStream<unknown, unknown>, context)
    : readable((call as ServerUnaryCall<unknown, unknown>).request, method.path);
  const answer = handler(request, context);
  if (!method.responseStream) {
    done?.(null, await (answer as Promise<unknown>));
    return;
  }
  const stream = call as ServerWritableStream<unknown, unknown>;
  for await (const message of answer as AsyncIterable<unknown>) {
    if (context.signal.aborted) return;
    if (!stream.write(message)) await drained(stream, context.signal);
  }
  stream.end();
}

function drained(stream: ServerWritableStream<unknown, unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      stream.removeListener('drain', go);
      signal.removeEventListener('abort', go);
      resolve();
    };
    stream.once('drain', go);
    signal.addEventListener('abort', go, { once: true });
  });
}
