import { SymbolonError } from '#core/errors/error';
import type { SpiffeId } from '#core/spiffe/id';
import { TEST_NOW, TestCa, type TestCertificate } from '#core/spiffe/testing/ca';
import { publicKeyOfCsr } from '#core/spiffe/testing/csr';
import { verifyX509Svid } from '#core/spiffe/verify';
import { addMs, instantFromMs } from '#core/time/instant';
import { type Clock, systemClock } from '#daemon/clock';
import { serveTls, type TlsGrpcServer } from '#daemon/grpc/serve';
import type { CallContext } from '#daemon/grpc/service';
import { silentLogger } from '#daemon/log';
import { AgentService } from '#proto/gen/spire/server/agent';
import { SVIDService } from '#proto/gen/spire/server/svid';
import { NodeSyncService, type SyncReport, SyncState } from '#proto/gen/symbolon/authority/sync';
import { countHandshakes, type HandshakeCounter } from './handshake-counter.ts';
import { Enforcement, Identity, Node, TrustDomainSettings } from '#proto/gen/symbolon/authority/types';

const started = Date.now();

/** Runs like the machine's clock, from TEST_NOW on. */
export function testClock(): Clock {
  return { now: () => instantFromMs(TEST_NOW + Date.now() - started), after: (ms, run) => systemClock.after(ms, run) };
}

export interface FakeAuthorityOptions {
  /** Overrides of every certificate that it issues. */
  readonly issue?: (path: string) => TestCertificate;
  /** Overrides of its own certificate. */
  readonly own?: TestCertificate;
  readonly port?: number;
  readonly ca?: TestCa;
  /** The ID it shows instead of the authority's. */
  readonly ownPath?: string;
}

/** The parts of an authority that an agent talks to, over real TLS on loopback. */
export class FakeAuthority {
  readonly tokens = new Map<string, string>();
  readonly reports: SyncReport[] = [];
  readonly issued: string[] = [];
  state: SyncState = SyncState.fromPartial({});
  private readonly streams = new Set<() => void>();
  renewals = 0;
  /** So many attempts to join are answered with BUSY. */
  busyTimes = 0;
  streamsOpened = 0;
  /** Calls of AttestAgent, whatever came of them. */
  attestations = 0;

  private constructor(
    readonly ca: TestCa,
    private readonly server: TlsGrpcServer,
    private readonly relay: HandshakeCounter,
    private readonly options: FakeAuthorityOptions,
  ) {
    this.push({});
  }

  static async start(options: FakeAuthorityOptions = {}): Promise<FakeAuthority> {
    const ca = options.ca ?? (await TestCa.create());
    const own = await ca.issue(options.ownPath ?? '/symbolon/authority', options.own);
    const clock = testClock();
    const server = await serveTls({
      host: '127.0.0.1',
      port: 0,
      credential: own,
      verifyClient: (chain) => verifyX509Svid(chain, ca.bundles, clock.now()),
      clock,
      log: silentLogger,
    });
    const relay = await countHandshakes(options.port ?? 0, server.port);
    const fake = new FakeAuthority(ca, server, relay, options);
    fake.serve();
    return fake;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get port(): number {
    return this.relay.port;
  }

  /** TLS handshakes in which it has shown its certificate. */
  get handshakes(): number {
    return this.relay.handshakes;
  }

  private async sign(path: string, csr: Buffer, fields: TestCertificate = {}) {
    const publicKey = await publicKeyOfCsr(csr);
    const { chain, id } = await this.ca.issue(path, { publicKey, ...fields, ...this.options.issue?.(path) });
    this.issued.push(id);
    return { certChain: chain.map((der) => Buffer.from(der)), id: undefined, expiresAt: 0n, hint: '' };
  }

  private nodeOf({ caller }: CallContext): SpiffeId {
    if (caller.kind !== 'svid') throw new SymbolonError('PERMISSION_DENIED', 'no node SVID', { what: 'caller' });
    return caller.svid.id;
  }

  private serve(): void {
    const sign = this.sign.bind(this);
    const nodeOf = this.nodeOf.bind(this);
    const { tokens, reports, streams } = this;
    const state = (): SyncState => this.state;
    const opened = (): void => void this.streamsOpened++;
    const busy = (): boolean => this.busyTimes-- > 0;
    const renewed = (): void => void this.renewals++;
    const attested = (): void => void this.attestations++;
    this.server.add(AgentService, {
      async *attestAgent(requests, _call) {
        attested();
        for await (const { step } of requests) {
          if (busy()) throw new SymbolonError('BUSY', 'try again in a moment', { what: 'AttestAgent' });
          const params = step?.$case === 'params' ? step.value : undefined;
          const token = params?.data?.payload.toString() ?? '';
          const name = tokens.get(token);
          if (name === undefined) throw new SymbolonError('TOKEN_REFUSED', 'the token is unknown or used', { what: 'join token' });
          tokens.delete(token);
          const svid = await sign(`/symbolon/node/${name}`, params?.params?.csr ?? Buffer.alloc(0));
          yield { step: { $case: 'result', value: { svid, reattestable: false } } };
          return;
        }
      },
      async renewAgent({ params }, call) {
        renewed();
        return { svid: await sign(nodeOf(call).slice('spiffe://east.example'.length), params?.csr ?? Buffer.alloc(0)) };
      },
    });
    this.server.add(SVIDService, {
      async batchNewX509Svid({ params }, call) {
        const node = nodeOf(call);
        const results = await Promise.all(
          params.map(async ({ entryId, csr }) => {
            const identity = state().identities.find((i) => i.id === entryId);
            if (!identity) return { status: { code: 5, message: `no entry ${entryId}` }, svid: undefined };
            const path = identity.spiffeId.slice('spiffe://east.example'.length);
            return { status: { code: 0, message: '' }, svid: await sign(path, csr, { issuedToNode: node }) };
          }),
        );
        return { results };
      },
    });
    this.server.add(NodeSyncService, {
      async *synchronize(requests, call) {
        nodeOf(call);
        opened();
        void (async () => {
          for await (const report of requests) reports.push(report);
        })().catch(() => undefined);
        for (;;) {
          yield state();
          await new Promise<void>((resolve) => {
            streams.add(resolve);
            call.signal.addEventListener('abort', () => resolve(), { once: true });
          });
          if (call.signal.aborted) return;
        }
      },
    });
  }

  /** Pushes the next revision. */
  push(change: Partial<SyncState>): void {
    this.state = SyncState.fromPartial({
      settings: TrustDomainSettings.fromPartial({ trustDomain: this.ca.trustDomain }),
      bundles: [
        { trustDomain: this.ca.trustDomain, x509Authorities: this.ca.bundle.authorities.map((a) => Buffer.from(a.der)), sequence: 1n },
      ],
      nodes: [wireNode('east-1', '10.1.0.0/24')],
      identities: this.state.identities,
      ...change,
      revision: this.state.revision + 1n,
    });
    for (const wake of this.streams) wake();
    this.streams.clear();
  }

  async close(): Promise<void> {
    await Promise.all([this.relay.close(), this.server.close()]);
  }
}

export function wireNode(name: string, prefix: string): Node {
  return Node.fromPartial({
    id: `node-${name}`,
    name,
    spiffeId: `spiffe://east.example/symbolon/node/${name}`,
    addressPrefixes: [prefix],
    endpoints: ['192.0.2.1:7420'],
  });
}

export function wireIdentity(name: string, fields: Partial<Identity> = {}): Identity {
  return Identity.fromPartial({
    id: `entry-${name}`,
    spiffeId: `spiffe://east.example/${name}`,
    parentId: 'spiffe://east.example/symbolon/node/east-1',
    selectors: ['unix:uid:1001'],
    enforcement: Enforcement.ENFORCEMENT_UNSPECIFIED,
    ...fields,
  });
}

/** Waits until `ready` is true; fails after 15 seconds. */
export async function until(ready: () => boolean): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!ready()) {
    if (Date.now() > deadline) throw new Error('waited too long');
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

/** A certificate that lives on for ten seconds; half of its life is over after one to four. */
export function shortLived(): TestCertificate {
  const now = testClock().now();
  return { notBefore: addMs(now, -6000), notAfter: addMs(now, 10_000) };
}

/** A lifetime that began `ageMs` ago and lasts `lifeMs`. */
export function lifetime(ageMs: number, lifeMs: number): TestCertificate {
  const notBefore = addMs(TEST_NOW, -ageMs);
  return { notBefore, notAfter: addMs(notBefore, lifeMs) };
}
