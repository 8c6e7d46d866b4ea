import type { Socket } from 'node:net';
import { Server, ServerCredentials, type ServerOptions } from '@grpc/grpc-js';
import { ANONYMOUS, type Caller } from './caller.ts';
import type { ConnectionLimits } from './serve-limits.ts';

/** How long calls may go on after close(). */
const CLOSE_GRACE_MS = 500;

const optionsOf = (limits: ConnectionLimits): ServerOptions => ({
  'grpc.max_receive_message_length': limits.requestBytes,
  'grpc.max_send_message_length': -1,
  'grpc.max_concurrent_streams': limits.calls,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5000,
  'grpc.enable_channelz': 0,
});

/** Connections that may all ask the same, in order of arrival: each is known to grpc-js by a name that we give it, and by that name calls find their caller. */
export class Connections {
  private readonly callers = new Map<string, Caller>();
  private readonly injector: ReturnType<Server['createConnectionInjector']>;
  private readonly sockets = new Set<Socket>();
  private next = 0;
  readonly grpc: Server;

  constructor(limits: ConnectionLimits) {
    this.grpc = new Server(optionsOf(limits));
    this.injector = this.grpc.createConnectionInjector(ServerCredentials.createInsecure());
  }

  readonly callerOf = (peer: string): Caller => this.callers.get(peer) ?? ANONYMOUS;

  admit(socket: Socket, caller: Caller): void {
    const name = `connection-${this.next++}`;
    // What getPeer() answers. A unix socket has no remote address at all, and a TCP one's may come again before a call of the old one is over.
    Object.defineProperties(socket, { remoteAddress: { value: name }, remotePort: { value: undefined } });
    this.callers.set(name, caller);
    this.sockets.add(socket);
    socket.once('close', () => {
      this.callers.delete(name);
      this.sockets.delete(socket);
    });
    socket.on('error', () => undefined);
    this.injector.injectConnection(socket);
  }

  /** Gives calls half a second to end, then ends them. */
  async close(): Promise<void> {
    const graceful = new Promise<void>((resolve) => {
      this.grpc.tryShutdown(() => resolve());
    });
    this.injector.drain(CLOSE_GRACE_MS);
    const timer = setTimeout(() => {
      this.grpc.forceShutdown();
      for (const socket of this.sockets) socket.destroy();
    }, CLOSE_GRACE_MS);
    await graceful;
    clearTimeout(timer);
  }
}
