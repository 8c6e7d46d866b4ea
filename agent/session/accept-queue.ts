import type { Socket } from 'node:net';

/** Handshakes that run at once, of one address, and that begin in one turn of the event loop; connections that wait for their turn. */
export interface AcceptLimits {
  readonly handshakes: number;
  readonly handshakesOfOneAddress: number;
  readonly handshakesOfOneTurn: number;
  readonly waiting: number;
}
export const ACCEPT_LIMITS: AcceptLimits = { handshakes: 16, handshakesOfOneAddress: 4, handshakesOfOneTurn: 1, waiting: 256 };

/**
 * Lets TLS handshakes begin a few at a time: the loop that does them also renews leases, and what one turn of it may last is bounded by how many are
 * under way. They begin one in each turn, so that those whose first bytes have come already are not all answered in the same. Whatever finds the queue full
 * is closed at once.
 */
export class AcceptQueue {
  private readonly waiting: Socket[] = [];
  private readonly ofAddress = new Map<string, number>();
  private running = 0;
  private scheduled = false;
  refused = 0;

  constructor(
    private readonly begin: (socket: Socket) => void,
    private readonly limits: AcceptLimits = ACCEPT_LIMITS,
  ) {}

  offer(socket: Socket): void {
    socket.on('error', () => undefined);
    const address = socket.remoteAddress;
    if (address === undefined || this.waiting.length >= this.limits.waiting || this.count(address) >= this.limits.handshakesOfOneAddress) {
      this.refused++;
      socket.destroy();
      return;
    }
    this.ofAddress.set(address, this.count(address) + 1);
    this.waiting.push(socket);
    let left = false;
    // Its place is free again when the connection is gone, or when `done` says that its handshake is complete.
    const leave = (): void => {
      if (left) return;
      left = true;
      const count = this.count(address) - 1;
      if (count > 0) this.ofAddress.set(address, count);
      else this.ofAddress.delete(address);
      const at = this.waiting.indexOf(socket);
      if (at >= 0) this.waiting.splice(at, 1);
      else this.running--;
      this.schedule();
    };
    this.leaving.set(socket, leave);
    socket.once('close', leave);
    this.schedule();
  }

  private readonly leaving = new WeakMap<Socket, () => void>();

  /** The handshake on this connection has ended. */
  done(socket: Socket): void {
    this.leaving.get(socket)?.();
  }

  private count(address: string): number {
    return this.ofAddress.get(address) ?? 0;
  }

  private schedule(): void {
    if (this.scheduled || this.waiting.length === 0 || this.running >= this.limits.handshakes) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      for (let begun = 0; begun < this.limits.handshakesOfOneTurn && this.running < this.limits.handshakes; begun++) {
        const next = this.waiting.shift();
        if (!next) return;
        this.running++;
        if (next.destroyed) this.done(next);
        else this.begin(next);
      }
      this.schedule();
    });
  }
}
