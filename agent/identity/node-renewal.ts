import { SymbolonError } from '#core/errors/error';
import type { Timer } from '#daemon/clock';
import type { Credential } from '../proof/contract.ts';
import { Backoff } from './backoff.ts';
import { createCsr, newPrivateKey } from './csr.ts';
import { checkNodeCredential, type JoinOptions } from './node-credential.ts';
import { renewalTime } from './renewal-time.ts';
import { Emitter } from '#daemon/emitter';

/** Holds the node's credential and renews it at half of its life, with a new key each time. */
export class NodeRenewal {
  readonly renewed = new Emitter<Credential>();
  private readonly backoff: Backoff;
  private timer: Timer | undefined;
  private dueAt: number;
  private closed = false;
  /** Why the last renewal failed. */
  problem: string | undefined;

  constructor(
    private held: Credential,
    private readonly options: JoinOptions,
  ) {
    this.backoff = new Backoff(1000, 60_000, options.random);
    this.dueAt = renewalTime(held.svid, options.clock.now(), options.random());
    this.wait();
  }

  get credential(): Credential {
    return this.held;
  }

  /** Renews now, whatever the time. Resolves when that has succeeded or failed. */
  async renew(): Promise<void> {
    this.timer?.cancel();
    const { client, clock, files, log, trustDomain } = this.options;
    try {
      const privateKey = newPrivateKey();
      const chain = await client.renew(createCsr(privateKey));
      const credential = checkNodeCredential({ chain, privateKey }, trustDomain, this.options.bundles(), clock.now());
      const { id } = credential.svid;
      if (id !== this.held.svid.id) {
        throw new SymbolonError('SVID_INVALID', `renewal of ${this.held.svid.id} gave an SVID of ${id}`, { rule: 'node', spiffeId: id });
      }
      if (this.closed) return;
      files.saveCredential({ chain, privateKey });
      this.held = credential;
      this.problem = undefined;
      this.backoff.reset();
      this.dueAt = renewalTime(credential.svid, clock.now(), this.options.random());
      log.info({ nodeId: id, serialNumber: credential.svid.serialNumber }, 'renewed the node SVID');
      this.renewed.emit(credential);
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
      this.dueAt = clock.now() + this.backoff.next();
      log.warn({ error, notAfter: this.held.svid.notAfter }, 'the node SVID could not be renewed');
    } finally {
      this.wait();
    }
  }

  private wait(): void {
    if (this.closed) return;
    const left = this.dueAt - this.options.clock.now();
    this.timer = this.options.clock.after(Math.max(left, 0), () => {
      if (this.options.clock.now() >= this.dueAt) void this.renew();
      else this.wait();
    });
  }

  close(): void {
    this.closed = true;
    this.timer?.cancel();
  }
}
