import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { Arrival } from '../probe-protocol.ts';

/** Answers with what it gets, on every address of both families, and tells about it. Resolves when it listens. */
export function listen(protocol: 'tcp' | 'udp', port: number, tell: (arrival: Arrival) => void): Promise<void> {
  return protocol === 'tcp' ? listenTcp(port, tell) : listenUdp(port, tell);
}

function listenTcp(port: number, tell: (arrival: Arrival) => void): Promise<void> {
  const server = createServer({ noDelay: true }, (socket) => {
    const { remoteAddress = '', remotePort = 0 } = socket;
    const arrived = (text: string): void => tell({ arrival: true, protocol: 'tcp', port, from: remoteAddress, fromPort: remotePort, text });
    arrived('');
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      arrived(chunk.toString().trim());
      socket.write(chunk);
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '::', () => resolve());
  });
}

function listenUdp(port: number, tell: (arrival: Arrival) => void): Promise<void> {
  const socket = createSocket({ type: 'udp6', reuseAddr: true });
  socket.on('message', (message, from) => {
    tell({ arrival: true, protocol: 'udp', port, from: from.address, fromPort: from.port, text: message.toString() });
    socket.send(message, from.port, from.address, () => undefined);
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, '::', () => {
      socket.off('error', reject);
      socket.on('error', () => undefined);
      resolve();
    });
  });
}
