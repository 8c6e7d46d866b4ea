import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP relay before a TLS server, that counts handshakes. */
export interface HandshakeCounter {
  readonly port: number;
  /** Connections in which the server has answered: by then it has shown its certificate. */
  readonly handshakes: number;
  close(): Promise<void>;
}

/** Relays connections to loopback, `port` (0 = any free one) to `targetPort`. */
export async function countHandshakes(port: number, targetPort: number): Promise<HandshakeCounter> {
  const open = new Set<Socket>();
  let handshakes = 0;
  const relay = createServer((client) => {
    const server = connect(targetPort, '127.0.0.1');
    server.once('data', () => handshakes++);
    for (const [end, other] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(end);
      end.pipe(other);
      end.on('error', () => undefined);
      end.on('close', () => {
        open.delete(end);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => relay.listen(port, '127.0.0.1', resolve));
  return {
    port: (relay.address() as AddressInfo).port,
    get handshakes() {
      return handshakes;
    },
    close: () =>
      new Promise((resolve) => {
        relay.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
