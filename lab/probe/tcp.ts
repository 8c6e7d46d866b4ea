import { connect, type Socket } from 'node:net';
import { NOTHING_SENT, type SendOutcome, type SendTarget } from '../probe-protocol.ts';
import { codeOf, timed } from './timed.ts';

/** How long the two ends may take to say goodbye, so that their last segments do not count for the next probe. */
const CLOSE_PATIENCE_MS = 2000;

/** A socket that is on its way to the target. */
export function connectTo(target: SendTarget): Socket {
  return connect({
    host: target.address,
    port: target.port,
    noDelay: true,
    ...(target.sourceAddress === undefined ? {} : { localAddress: target.sourceAddress }),
    ...(target.sourcePort ? { localPort: target.sourcePort } : {}),
  });
}

/** Connects, sends a line and waits for it to come back. */
export async function sendTcp(target: SendTarget, nonce: string): Promise<SendOutcome> {
  const socket = connectTo(target);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const outcome = await exchangeLine(socket, nonce, target.timeoutMs);
  if (outcome.kind === 'answered') {
    socket.end();
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, CLOSE_PATIENCE_MS))]);
  }
  socket.destroy();
  return outcome;
}

/** Writes a line and waits for it to come back; an error or the end of the connection counts as `error`. */
export function exchangeLine(socket: Socket, nonce: string, timeoutMs: number): Promise<SendOutcome> {
  const line = `${nonce}\n`;
  return timed(timeoutMs, (report) => {
    let got = '';
    const finish = (kind: SendOutcome['kind'], code?: string): void => {
      socket.off('data', onData).off('error', onError).off('end', onEnd);
      socket.on('error', () => undefined); // what comes later interests nobody
      report(kind, code);
    };
    const onData = (chunk: Buffer): void => {
      got += chunk.toString();
      if (got.includes(line)) finish('answered');
    };
    const onError = (error: Error): void => finish('error', codeOf(error));
    const onEnd = (): void => finish('error', 'closed by the peer');
    socket.on('data', onData).on('error', onError).on('end', onEnd);
    if (socket.destroyed) finish('error', NOTHING_SENT);
    else socket.write(line);
  });
}
