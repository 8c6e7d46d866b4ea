import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { SendOutcome, SendTarget } from '../probe-protocol.ts';
import { codeOf, timed } from './timed.ts';

/** Sends one datagram, never a second, and waits for it to come back. The socket is connected, so that ICMP errors reach it. */
export async function sendUdp(target: SendTarget, nonce: string): Promise<SendOutcome> {
  const socket = createSocket({ type: isIPv6(target.address) ? 'udp6' : 'udp4', reuseAddr: true });
  const bound = new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ port: target.sourcePort ?? 0, ...(target.sourceAddress === undefined ? {} : { address: target.sourceAddress }) }, () =>
      resolve(),
    );
  });
  try {
    await bound;
    return await timed(target.timeoutMs, (report) => {
      const onError = (error: Error): void => report('error', codeOf(error));
      socket.on('error', onError);
      socket.on('message', (message) => {
        if (message.toString() === nonce) report('answered');
      });
      socket.connect(target.port, target.address, (error?: Error | null) => {
        if (error) return onError(error);
        socket.send(nonce, (failure) => {
          if (failure) onError(failure);
        });
      });
    });
  } finally {
    socket.close();
  }
}
