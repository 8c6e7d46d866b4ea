import type { handleUnaryCall, Server, ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import {
  type ConnInfo,
  type Empty,
  GRPCBrokerService,
  GRPCControllerService,
  GRPCStdioService,
  type StdioData,
} from '#proto/gen/tfplugin/goplugin';
import type { Empty as GoogleEmpty } from '#proto/gen/google/protobuf/empty';
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthService,
} from '#proto/gen/tfplugin/health';

/** Adds what core expects of every plugin beside the provider. `shutdown` is called when core is done with the process. */
export function addSupportServices(server: Server, shutdown: () => void): void {
  const controller: handleUnaryCall<Empty, Empty> = (_call, done) => {
    done(null, {});
    setImmediate(shutdown);
  };
  server.addService(GRPCControllerService, { shutdown: controller });

  // Streams that core opens and holds; nothing is ever sent on them: no side connections, and nothing of ours writes to stdout.
  server.addService(GRPCBrokerService, {
    startStream: (call: ServerDuplexStream<ConnInfo, ConnInfo>) => {
      call.on('data', () => undefined);
      call.on('error', () => undefined);
      call.on('end', () => call.end());
    },
  });
  server.addService(GRPCStdioService, {
    streamStdio: (call: ServerWritableStream<GoogleEmpty, StdioData>) => {
      call.on('error', () => undefined);
    },
  });

  const check: handleUnaryCall<HealthCheckRequest, HealthCheckResponse> = (_call, done) =>
    done(null, { status: HealthCheckResponse_ServingStatus.SERVING });
  server.addService(HealthService, { check });
}
