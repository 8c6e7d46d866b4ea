import type { Socket } from 'node:net';
import type { SendOutcome, SendTarget } from '../probe-protocol.ts';
import { connectTo, exchangeLine } from './tcp.ts';

/** TCP connections that stay open between commands, by name. */
export class ProbeConnections {
  readonly #open = new Map<string, Socket>();

  async open(name: string, target: SendTarget): Promise<SendOutcome> {
    const socket = connectTo(target);
    const outcome = await exchangeLine(socket, `open ${name}`, target.timeoutMs);
    if (outcome.kind === 'answered') this.#open.set(name, socket);
    else socket.destroy();
    return outcome;
  }

  async exchange(name: string, nonce: string, timeoutMs: number): Promise<SendOutcome> {
    const socket = this.#open.get(name);
    if (!socket) throw new Error(`there is no connection ${name}`);
    return await exchangeLine(socket, nonce, timeoutMs);
  }

  close(name: string): void {
    this.#open.get(name)?.destroy();
    this.#open.delete(name);
  }
}
