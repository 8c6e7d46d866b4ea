import type { TLSSocket } from 'node:tls';
import { SymbolonError } from '#core/errors/error';
import { Envelope } from '#proto/gen/symbolon/agent/session';
import { encodeFrame, FrameDecoder } from './frames.ts';

export type Message = NonNullable<Envelope['message']>;

/** A peer that lets this much pile up does not read: the session is of no use. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;

/** Envelopes over a TLS connection. Whatever cannot be read ends this connection and nothing else. */
export class Transport {
  private corked = false;

  constructor(
    private readonly socket: TLSSocket,
    onMessage: (message: Message) => void,
    onEnd: (error: unknown) => void,
  ) {
    const decoder = new FrameDecoder();
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const payload of decoder.push(chunk)) {
          if (socket.destroyed) return;
          onMessage(Transport.decode(payload));
        }
      } catch (error) {
        onEnd(error);
        socket.destroy();
      }
    });
    socket.on('error', onEnd);
    socket.on('end', () => socket.destroy());
    socket.on('close', () => onEnd(undefined));
  }

  private static decode(payload: Buffer): Message {
    let envelope: Envelope;
    try {
      envelope = Envelope.decode(payload);
    } catch (cause) {
      throw new SymbolonError('FRAME_INVALID', `a frame of ${payload.length} bytes is no envelope`, { rule: 'protobuf' }, cause);
    }
    if (!envelope.message)
      throw new SymbolonError('FRAME_INVALID', 'an envelope carries no message that this agent knows', { rule: 'empty' });
    return envelope.message;
  }

  /** Queues a message; those of one turn leave in one TLS record. Nothing happens on a closed connection. */
  send(message: Message): void {
    const { socket } = this;
    if (socket.destroyed || socket.writableEnded) return;
    if (socket.writableLength > MAX_UNSENT_BYTES) {
      socket.destroy(new SymbolonError('UNAVAILABLE', 'the peer does not read what it is sent', { what: 'node session' }));
      return;
    }
    if (!this.corked) {
      this.corked = true;
      socket.cork();
      setImmediate(() => {
        this.corked = false;
        socket.uncork();
      });
    }
    socket.write(encodeFrame(Envelope.encode({ message }).finish()));
  }

  close(): void {
    if (this.corked) this.socket.uncork();
    this.socket.destroySoon();
  }
}
