import {
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  Metadata,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { errorFromStatus } from './status.ts';

/** A unary call that is not answered within this time fails with TIMEOUT. */
export const CALL_TIMEOUT_MS = 10_000;

export interface CallOptions {
  /** Default 10 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly metadata?: Metadata;
}

type Unary<Request, Response> = MethodDefinition<Request, Response> & { readonly requestStream: false; readonly responseStream: false };
type BidiStream<Request, Response> = MethodDefinition<Request, Response> & { readonly requestStream: true; readonly responseStream: true };

/** Calls a unary method: `await callUnary(client, ControlService.getStatus, {})`. Every failure is a SymbolonError. */
export function callUnary<Request, Response>(
  client: Client,
  method: Unary<Request, Response>,
  request: Request,
  options: CallOptions = {},
): Promise<Response> {
  const timeoutMs = options.timeoutMs ?? CALL_TIMEOUT_MS;
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      options.metadata ?? new Metadata(),
      { deadline: Date.now() + timeoutMs },
      (error: ServiceError | null, response?: Response) => {
        options.signal?.removeEventListener('abort', cancel);
        if (error || response === undefined)
          reject(error ? errorFromStatus(error, method.path, timeoutMs) : new TypeError(`${method.path} answered nothing`));
        else resolve(response);
      },
    );
    const cancel = (): void => call.cancel();
    options.signal?.addEventListener('abort', cancel, { once: true });
    if (options.signal?.aborted) cancel();
  });
}

/** Starts a call that streams both ways: write requests to it, read answers with `messagesOf`. Ends by `cancel()`. */
export function openBidiStream<Request, Response>(
  client: Client,
  method: BidiStream<Request, Response>,
  metadata: Metadata = new Metadata(),
): ClientDuplexStream<Request, Response> {
  return client.makeBidiStreamRequest(method.path, method.requestSerialize, method.responseDeserialize, metadata, {});
}

/** The answers of a streaming call, in order; ends when the server ends. Throws a SymbolonError if the call fails. */
export async function* messagesOf<Response>(
  stream: ClientReadableStream<Response> | ClientDuplexStream<never, Response>,
  method: { readonly path: string },
): AsyncGenerator<Response, void, undefined> {
  try {
    for await (const message of stream) yield message as Response;
  } catch (error) {
    throw error instanceof Error && 'code' in error && typeof error.code === 'number'
      ? errorFromStatus(error as ServiceError, method.path)
      : error;
  } finally {
    stream.cancel();
  }
}
