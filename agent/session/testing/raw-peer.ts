import { connect, type TLSSocket } from 'node:tls';
import type { X509Svid } from '#core/spiffe/svid';
import { Envelope, type PairResponse } from '#proto/gen/symbolon/agent/session';
import { secretsOfSocket } from '../../proof/authenticator/secrets.ts';
import { ContextLedger } from '../../proof/ledger.ts';
import type { PairJudge } from '../../proof/contract.ts';
import { CreditPurse } from '../credits.ts';
import type { ExchangeContext } from '../../proof/exchange.ts';
import { encodeFrame, FrameDecoder } from '../frames.ts';
import { SESSION_ALPN, sessionTlsOptions } from '../tls.ts';
import type { Message } from '../transport.ts';
import type { ListeningNode } from './links.ts';
import { testClock, type TestNode } from './test-node.ts';

/** A peer that says whatever a test has it say, over real TLS. */
export class RawPeer {
  private readonly responses: PairResponse[] = [];
  readonly exchange: ExchangeContext;
  readonly purse: CreditPurse;
  private readonly decoder = new FrameDecoder();
  private waiting: (() => void)[] = [];

  private constructor(
    readonly socket: TLSSocket,
    judge: PairJudge,
    peerNode: X509Svid,
  ) {
    const nowMs = (): number => performance.now();
    this.purse = new CreditPurse('server', nowMs);
    this.exchange = {
      secrets: secretsOfSocket(socket, 'client'),
      ledger: new ContextLedger('client', nowMs, 60_000),
      judge,
      peerNode,
      now: () => testClock.now(),
      forwardSecrecy: false,
    };
    socket.on('data', (chunk: Buffer) => {
      for (const payload of this.decoder.push(chunk)) {
        const { message } = Envelope.decode(payload);
        if (message?.$case === 'credits') this.purse.add(message.value.authenticatorRequests, message.value.ttlMs);
        if (message?.$case === 'pairResponse') {
          this.responses.push(message.value);
          if (message.value.credits) this.purse.add(message.value.credits.authenticatorRequests, message.value.credits.ttlMs);
        }
      }
      this.wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => this.wake());
  }

  static async open(node: TestNode, to: ListeningNode): Promise<RawPeer> {
    const socket = connect({
      ...sessionTlsOptions(node.credential),
      host: '127.0.0.1',
      port: to.listener.port,
      ALPNProtocols: [SESSION_ALPN],
      rejectUnauthorized: false,
    });
    await new Promise((resolve, reject) => socket.once('secureConnect', () => resolve(undefined)).once('error', reject));
    return new RawPeer(socket, node, to.node.credential.svid);
  }

  send(message: Message): void {
    this.sendBytes(encodeFrame(Envelope.encode({ message }).finish()));
  }

  sendBytes(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** The next answer to a pair request; undefined if the connection ended first. */
  async response(): Promise<PairResponse | undefined> {
    for (;;) {
      const message = this.responses.shift();
      if (message || this.socket.destroyed) return message;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** A credit of the other end, as soon as there is one. */
  async credit(): Promise<NonNullable<ReturnType<CreditPurse['take']>>> {
    for (;;) {
      const credit = this.purse.take();
      if (credit) return credit;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  private wake(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}
