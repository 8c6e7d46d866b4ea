import type { Client, ClientDuplexStream } from '@grpc/grpc-js';
import { SymbolonError } from '#core/errors/error';
import { authoritySpiffeId } from '#core/registration/node-id';
import type { BundleSet } from '#core/spiffe/bundle';
import type { TrustDomain } from '#core/spiffe/id';
import { verifyX509SvidAs } from '#core/spiffe/verify-as';
import type { Clock } from '#daemon/clock';
import { CALL_TIMEOUT_MS, callUnary, messagesOf, openBidiStream } from '#daemon/grpc/call';
import { dialMtls, openClient } from '#daemon/grpc/dial';
import type { TlsCredential } from '#daemon/tls/credential';
import { AgentService } from '#proto/gen/spire/server/agent';
import { SVIDService } from '#proto/gen/spire/server/svid';
import type { X509SVID } from '#proto/gen/spire/types';
import { NodeSyncService, type SyncReport, type SyncState } from '#proto/gen/symbolon/authority/sync';

/** Asks for an SVID for an entry of this node. `csr` is PKCS#10, DER. */
export interface SvidRequest {
  readonly entryId: string;
  readonly csr: Uint8Array;
}

/** A certificate chain (DER, leaf first, unverified), or why there is none. */
export type SvidAnswer = { readonly chain: readonly Uint8Array[] } | { readonly refused: string };

/** The agent's side of its authority. Every failure is a SymbolonError; answers are not verified here, only who gave them. */
export interface AuthorityClient {
  /** Redeems a one-time token: the node's certificate chain. */
  join(token: string, csr: Uint8Array): Promise<readonly Uint8Array[]>;
  renew(csr: Uint8Array): Promise<readonly Uint8Array[]>;
  /** One answer for each request, in their order. */
  issue(requests: readonly SvidRequest[]): Promise<readonly SvidAnswer[]>;
  synchronize(): ClientDuplexStream<SyncReport, SyncState>;
  /** Calls from now on go over a new connection with the newest credential; those under way are ended. */
  reconnect(): void;
  close(): void;
}

export interface AuthorityClientOptions {
  /** `192.0.2.1:7400`, `[2001:db8::1]:7400` or a host name and port. */
  readonly address: string;
  readonly trustDomain: TrustDomain;
  /** The bundles by which the authority must prove itself; asked at every handshake. */
  readonly bundles: () => BundleSet;
  /** The node's own credential; undefined before it has joined. */
  readonly credential: () => TlsCredential | undefined;
  readonly clock: Clock;
}

function chainOf(svid: X509SVID | undefined, what: string): readonly Uint8Array[] {
  if (svid && svid.certChain.length > 0) return svid.certChain;
  throw new SymbolonError('SVID_INVALID', `${what} answered without a certificate`, { rule: 'chain' });
}

/** Makes the client; it connects with the first call. The server must hold the SVID of the trust domain's authority, exactly. */
export function createAuthorityClient(options: AuthorityClientOptions): AuthorityClient {
  const authorityId = authoritySpiffeId(options.trustDomain);
  const open = (): Client =>
    openClient(
      dialMtls({
        address: options.address,
        credential: options.credential,
        verifyServer: (chain) => verifyX509SvidAs(authorityId, chain, options.bundles(), options.clock.now()),
      }),
    );
  let client = open();
  return {
    async join(token, csr) {
      const method = AgentService.attestAgent;
      const stream = openBidiStream(client, method);
      const timer = options.clock.after(CALL_TIMEOUT_MS, () => stream.cancel());
      try {
        const data = { type: 'join_token', payload: Buffer.from(token) };
        stream.write({ step: { $case: 'params', value: { data, params: { csr: Buffer.from(csr) } } } });
        for await (const { step } of messagesOf(stream, method)) {
          if (step?.$case === 'result') return chainOf(step.value.svid, 'AttestAgent');
        }
      } finally {
        timer.cancel();
        stream.cancel();
      }
      throw new SymbolonError('UNAVAILABLE', 'AttestAgent ended without a result', { what: method.path });
    },
    async renew(csr) {
      const { svid } = await callUnary(client, AgentService.renewAgent, { params: { csr: Buffer.from(csr) } });
      return chainOf(svid, 'RenewAgent');
    },
    async issue(requests) {
      const params = requests.map(({ entryId, csr }) => ({ entryId, csr: Buffer.from(csr) }));
      const { results } = await callUnary(client, SVIDService.batchNewX509Svid, { params });
      return requests.map((_, i): SvidAnswer => {
        const { status, svid } = results[i] ?? {};
        if (status && status.code !== 0) return { refused: status.message || `status ${status.code}` };
        return svid && svid.certChain.length > 0 ? { chain: svid.certChain } : { refused: 'the authority answered without a certificate' };
      });
    },
    synchronize: () => openBidiStream(client, NodeSyncService.synchronize),
    reconnect() {
      client.close();
      client = open();
    },
    close: () => client.close(),
  };
}
