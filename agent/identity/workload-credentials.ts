import { describeError, SymbolonError } from '#core/errors/error';
import type { RegistrationEntry } from '#core/registration/entry';
import type { SpiffeId } from '#core/spiffe/id';
import { verifyX509Svid } from '#core/spiffe/verify';
import type { Clock, Timer } from '#daemon/clock';
import type { Logger } from '#daemon/log';
import type { Credential } from '../proof/contract.ts';
import type { AuthorityClient } from './authority-client.ts';
import { Backoff } from './backoff.ts';
import { createCsr, newPrivateKey } from './csr.ts';
import { checkCredential } from './node-credential.ts';
import type { NodeView } from './node-view.ts';
import { renewalTime } from './renewal-time.ts';
import { Emitter } from '#daemon/emitter';

/** Requests in one call: its signatures must fit into the call's time-out at the authority. */
const BATCH = 64;

interface Slot {
  entry: RegistrationEntry;
  credential?: Credential;
  /** When to ask the authority next, milliseconds since the epoch. */
  dueAt: number;
  readonly backoff: Backoff;
  problem?: string;
}

export interface WorkloadCredentialsOptions {
  readonly client: Pick<AuthorityClient, 'issue'>;
  readonly nodeId: SpiffeId;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
}

/** What an entry asks of its certificate; a change of it needs a new one. */
function certificateWish(entry: RegistrationEntry): string {
  return JSON.stringify([entry.spiffeId, entry.x509SvidTtlSeconds, entry.dnsNames]);
}

/**
 * The SVIDs of this node's entries, with their keys: in memory only, each key used for one certificate. Asked for as soon as an entry is
 * known, renewed at half of their life.
 */
export class WorkloadCredentials {
  /** The id of an entry whose credential is new or gone. */
  readonly changed = new Emitter<string>();
  private readonly slots = new Map<string, Slot>();
  private view: NodeView | undefined;
  private timer: Timer | undefined;
  private busy = false;
  private closed = false;

  constructor(private readonly options: WorkloadCredentialsOptions) {}

  /** The entry's credential if it is valid now. */
  get(entryId: string): Credential | undefined {
    const credential = this.slots.get(entryId)?.credential;
    return credential && this.options.clock.now() <= credential.svid.notAfter ? credential : undefined;
  }

  /** Why an entry has no new credential, by entry id. */
  problems(): ReadonlyMap<string, string> {
    return new Map([...this.slots].flatMap(([id, { problem }]) => (problem === undefined ? [] : [[id, problem]])));
  }

  /** Takes over a new view: drops what it no longer says, asks for what it says anew. */
  update(view: NodeView): void {
    const bundlesChanged = view.bundles.get(view.settings.trustDomain) !== this.view?.bundles.get(view.settings.trustDomain);
    this.view = view;
    const wanted = new Map(view.entries.map((entry) => [entry.id, entry]));
    for (const id of this.slots.keys()) {
      if (wanted.has(id)) continue;
      this.slots.delete(id);
      this.changed.emit(id);
    }
    for (const entry of wanted.values()) this.take(entry, bundlesChanged);
    this.wait();
  }

  private take(entry: RegistrationEntry, bundlesChanged: boolean): void {
    const slot = this.slots.get(entry.id);
    if (!slot) {
      this.slots.set(entry.id, { entry, dueAt: 0, backoff: new Backoff(1000, 30_000, this.options.random) });
      return;
    }
    if (certificateWish(slot.entry) !== certificateWish(entry)) slot.dueAt = 0;
    slot.entry = entry;
    const { credential } = slot;
    if (!credential || (credential.svid.id === entry.spiffeId && !(bundlesChanged && !this.verifies(credential)))) return;
    delete slot.credential;
    slot.dueAt = 0;
    this.changed.emit(entry.id);
  }

  private verifies(credential: Credential): boolean {
    try {
      verifyX509Svid(credential.svid.chain, this.view?.bundles ?? new Map(), this.options.clock.now());
      return true;
    } catch {
      return false;
    }
  }

  /** The authority can be reached again: what failed is tried at once. */
  retry(): void {
    for (const slot of this.slots.values()) if (slot.problem !== undefined) slot.dueAt = 0;
    this.wait();
  }

  private wait(): void {
    this.timer?.cancel();
    if (this.closed || this.busy || this.slots.size === 0) return;
    const next = Math.min(...[...this.slots.values()].map((slot) => slot.dueAt));
    const left = next - this.options.clock.now();
    this.timer = this.options.clock.after(Math.max(left, 0), () => void this.issueDue());
  }

  private async issueDue(): Promise<void> {
    if (this.busy || this.closed) return;
    this.busy = true;
    try {
      const now = this.options.clock.now();
      const due = [...this.slots.values()].filter((slot) => slot.dueAt <= now).slice(0, BATCH);
      if (due.length > 0) await this.issue(due.map((slot) => slot.entry));
    } finally {
      this.busy = false;
      this.wait();
    }
  }

  private async issue(entries: readonly RegistrationEntry[]): Promise<void> {
    const asked = entries.map((entry) => ({ entry, privateKey: newPrivateKey() }));
    try {
      const answers = await this.options.client.issue(
        asked.map(({ entry, privateKey }) => ({ entryId: entry.id, csr: createCsr(privateKey) })),
      );
      for (const [i, { entry, privateKey }] of asked.entries()) {
        const answer = answers[i] ?? { refused: 'the authority did not answer' };
        if ('refused' in answer) this.failed(entry, answer.refused);
        else this.accept(entry, { chain: answer.chain, privateKey });
      }
    } catch (error) {
      for (const { entry } of asked) this.failed(entry, describeError(error));
    }
  }

  private accept(asked: RegistrationEntry, answer: Parameters<typeof checkCredential>[0]): void {
    const slot = this.slots.get(asked.id);
    // The entry has changed while the authority answered: what it says now is asked for again.
    if (this.closed || !slot || !this.view || certificateWish(slot.entry) !== certificateWish(asked)) return;
    try {
      const credential = checkCredential(answer, this.view.bundles, this.options.clock.now());
      const { svid } = credential;
      if (svid.id !== asked.spiffeId || svid.issuedToNode !== this.options.nodeId) {
        throw new SymbolonError('SVID_INVALID', `the authority issued ${svid.id} to ${svid.issuedToNode}; expected ${asked.spiffeId}`, {
          rule: 'entry',
          spiffeId: svid.id,
        });
      }
      slot.credential = credential;
      slot.dueAt = renewalTime(svid, this.options.clock.now(), this.options.random());
      slot.backoff.reset();
      delete slot.problem;
      this.options.log.info({ spiffeId: svid.id, serialNumber: svid.serialNumber, notAfter: svid.notAfter }, 'took a workload SVID');
      this.changed.emit(asked.id);
    } catch (error) {
      this.failed(asked, describeError(error));
    }
  }

  private failed(asked: RegistrationEntry, problem: string): void {
    const slot = this.slots.get(asked.id);
    if (!slot) return;
    slot.problem = problem;
    slot.dueAt = this.options.clock.now() + slot.backoff.next();
    this.options.log.warn({ spiffeId: asked.spiffeId, problem }, 'the authority issued no workload SVID');
  }

  close(): void {
    this.closed = true;
    this.timer?.cancel();
    this.slots.clear();
  }
}
