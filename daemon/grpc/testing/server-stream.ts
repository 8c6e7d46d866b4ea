import type { Client, ClientReadableStream, Metadata, MethodDefinition } from '@grpc/grpc-js';

/** Starts a call whose answers stream in; read it with `messagesOf`. Ends by `cancel()`. */
export function openServerStream<Request, Response>(
  client: Client,
  method: MethodDefinition<Request, Response> & { readonly requestStream: false; readonly responseStream: true },
  request: Request,
  metadata: Metadata,
): ClientReadableStream<Response> {
  return client.makeServerStreamRequest(method.path, method.requestSerialize, method.responseDeserialize, request, metadata, {});
}
