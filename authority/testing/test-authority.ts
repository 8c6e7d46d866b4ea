import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client, ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { nodeSpiffeId } from '#core/registration/node-id';
import { parseTrustDomain, type SpiffeId } from '#core/spiffe/id';
import { verifyX509Svid } from '#core/spiffe/verify';
import { type Clock, systemClock } from '#daemon/clock';
import { callUnary, messagesOf, openBidiStream } from '#daemon/grpc/call';
import { dialMtls, dialUnix, openClient } from '#daemon/grpc/dial';
import { type Logger, silentLogger } from '#daemon/log';
import type { TlsCredential } from '#daemon/tls/credential';
import { AgentService } from '#proto/gen/spire/server/agent';
import { BundleService } from '#proto/gen/spire/server/bundle';
import { SVIDService } from '#proto/gen/spire/server/svid';
import type { SPIFFEID } from '#proto/gen/spire/types';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { NodeSyncService, type SyncReport, type SyncState } from '#proto/gen/symbolon/authority/sync';
import { AuthPolicy, Identity, Node } from '#proto/gen/symbolon/authority/types';
import { type Authority, startAuthority } from '../authority.ts';
import { createCsr } from '../ca/create-csr.ts';

export const TEST_DOMAIN = parseTrustDomain('east.example');

/** The two parts of a SPIFFE ID in SPIRE's messages. */
export function idParts(id: SpiffeId): SPIFFEID {
  return { trustDomain: TEST_DOMAIN, path: id.slice(`spiffe://${TEST_DOMAIN}`.length) };
}

export const nodeId = (name: string): SpiffeId => nodeSpiffeId(TEST_DOMAIN, name);

export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
}

/** A request as an agent sends it: what it names does not matter. */
export async function anyCsr(key: KeyObject, id: SpiffeId = nodeId('whatever')): Promise<Buffer> {
  return Buffer.from(await createCsr(key, id));
}

export const testNode = (name: string, prefix: string, more: Partial<Node> = {}): Node =>
  Node.fromPartial({ name, addressPrefixes: [prefix], endpoints: ['192.0.2.7:7420'], ownership: { owner: 'test' }, ...more });

export const testPolicy = (name: string, more: Partial<AuthPolicy> = {}): AuthPolicy =>
  AuthPolicy.fromPartial({
    name,
    sources: { spiffeIds: ['spiffe://east.example/web'] },
    destinations: { spiffeIds: ['spiffe://east.example/payments'] },
    traffic: ['tcp/8443'],
    ownership: { owner: 'test' },
    ...more,
  });

export const testIdentity = (path: string, node: string, more: Partial<Identity> = {}): Identity =>
  Identity.fromPartial({
    spiffeId: `spiffe://east.example${path}`,
    parentId: nodeId(node),
    selectors: ['unix:uid:1001'],
    ownership: { owner: 'test' },
    ...more,
  });

/** A node agent's end of the push stream. */
export interface TestStream {
  /** The next state that has at least the revision. */
  next(revision?: bigint): Promise<SyncState>;
  report(report: Partial<SyncReport>): void;
  /** Resolves with the error that ends the stream, or undefined for an orderly end. */
  readonly ended: Promise<unknown>;
  cancel(): void;
}

/** A real authority in a folder of its own, with clients over its real sockets. */
export class TestAuthority {
  private readonly clients: Client[] = [];

  private constructor(
    readonly folder: string,
    private readonly clock: Clock,
    private readonly log: Logger,
    private authority: Authority,
    /** By the admin socket. */
    public admin: Client,
  ) {}

  static async start(clock: Clock = systemClock, log: Logger = silentLogger): Promise<TestAuthority> {
    const folder = mkdtempSync(join(tmpdir(), 'sy-authority-'));
    const authority = await TestAuthority.serve(folder, clock, log);
    return new TestAuthority(folder, clock, log, authority, openClient(dialUnix(authority.adminSocket)));
  }

  private static serve(folder: string, clock: Clock, log: Logger): Promise<Authority> {
    const paths = { dataFolder: folder, adminSocket: join(folder, 'admin.sock'), metricsSocket: join(folder, 'metrics.sock') };
    return startAuthority({ trustDomain: TEST_DOMAIN, listen: { host: '127.0.0.1', port: 0 }, logLevel: 'error', ...paths }, clock, log);
  }

  get metricsSocket(): string {
    return this.authority.metricsSocket;
  }

  async restart(): Promise<void> {
    this.admin.close();
    await this.authority.close();
    this.authority = await TestAuthority.serve(this.folder, this.clock, this.log);
    this.admin = openClient(dialUnix(this.authority.adminSocket));
  }

  /** A client over TLS, that has checked the authority's own SVID. */
  async overTls(credential?: TlsCredential): Promise<Client> {
    const bundle = await callUnary(this.admin, BundleService.getBundle, { outputMask: undefined });
    const authorities = bundle.x509Authorities.map(({ asn1 }) => ({ der: asn1 }));
    const bundles = new Map([[TEST_DOMAIN, { trustDomain: TEST_DOMAIN, authorities, sequence: 1n }]]);
    const client = openClient(
      dialMtls({
        address: this.authority.address,
        ...(credential ? { credential: () => credential } : {}),
        verifyServer: (chain) => {
          const { id } = verifyX509Svid(chain, bundles, this.clock.now());
          if (id !== 'spiffe://east.example/symbolon/authority') throw new Error(`${id} is not the authority`);
        },
      }),
    );
    this.clients.push(client);
    return client;
  }

  async token(name: string, ttl = 0): Promise<string> {
    const request = { ttl, token: '', agentId: idParts(nodeId(name)) };
    return (await callUnary(this.admin, AgentService.createJoinToken, request)).value;
  }

  private async askToJoin(token: string, privateKey: KeyObject) {
    const stream = openBidiStream(await this.overTls(), AgentService.attestAgent);
    const params = { data: { type: 'join_token', payload: Buffer.from(token) }, params: { csr: await anyCsr(privateKey) } };
    stream.write({ step: { $case: 'params', value: params } });
    return stream;
  }

  /** What gRPC says to whoever shows a token that is refused. */
  async refusalOf(token: string): Promise<ServiceError> {
    const stream = await this.askToJoin(token, newKey());
    return await new Promise((resolve, reject) => {
      stream.on('error', (error) => resolve(error as ServiceError));
      stream.on('data', () => reject(new Error('the token was not refused')));
    });
  }

  async attest(token: string): Promise<TlsCredential> {
    const privateKey = newKey();
    const stream = await this.askToJoin(token, privateKey);
    for await (const { step } of messagesOf(stream, AgentService.attestAgent)) {
      if (step?.$case === 'result') return { chain: step.value.svid?.certChain ?? [], privateKey };
    }
    throw new Error('the attestation ended without a result');
  }

  async declareNode(name: string, prefix: string): Promise<Node> {
    const { node } = await callUnary(this.admin, ControlService.createNode, { node: testNode(name, prefix) });
    return node ?? testNode(name, prefix);
  }

  /** A declared node with a node SVID. */
  async join(name: string, prefix: string): Promise<TlsCredential> {
    await this.declareNode(name, prefix);
    return this.attest(await this.token(name));
  }

  async mint(id: string): Promise<TlsCredential> {
    const privateKey = newKey();
    const csr = await anyCsr(privateKey, id as SpiffeId);
    const { svid } = await callUnary(this.admin, SVIDService.mintX509Svid, { csr, ttl: 0 });
    return { chain: svid?.certChain ?? [], privateKey };
  }

  async synchronize(credential: TlsCredential): Promise<TestStream> {
    const stream: ClientDuplexStream<SyncReport, SyncState> = openBidiStream(await this.overTls(credential), NodeSyncService.synchronize);
    const states: SyncState[] = [];
    let wake: () => void = () => undefined;
    let failure: { readonly error: unknown } | undefined;
    const ended = (async () => {
      try {
        for await (const state of messagesOf(stream, NodeSyncService.synchronize)) {
          states.push(state);
          wake();
        }
        return undefined;
      } catch (error) {
        failure = { error };
        return error;
      } finally {
        wake();
      }
    })();
    return {
      ended,
      report: (report) => stream.write({ enforcedRevision: 0n, agentVersion: '0.1.0', problem: '', ...report }),
      cancel: () => stream.cancel(),
      next: async (revision = 0n) => {
        for (;;) {
          const state = states.shift();
          if (state && state.revision >= revision) return state;
          if (state) continue;
          if (failure) throw failure.error;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      },
    };
  }

  async close(): Promise<void> {
    for (const client of [...this.clients, this.admin]) client.close();
    await this.authority.close();
    rmSync(this.folder, { recursive: true });
  }
}
