import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Client, Metadata } from '@grpc/grpc-js';
import { parseSpiffeId } from '#core/spiffe/id';
import { callUnary } from '#daemon/grpc/call';
import type { TlsCredential } from '#daemon/tls/credential';
import { BundleService } from '#proto/gen/spire/server/bundle';
import { SVIDService } from '#proto/gen/spire/server/svid';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { anyCsr, newKey, TestAuthority, testIdentity } from './testing/test-authority.ts';

const OK = 0;
const RESOURCE_EXHAUSTED = 8;

let authority: TestAuthority;
let node: TlsCredential;
let workload: TlsCredential;
beforeAll(async () => {
  authority = await TestAuthority.start();
  node = await authority.join('east-1', '10.1.0.0/16');
  const { identity } = await callUnary(authority.admin, ControlService.createIdentity, { identity: testIdentity('/web', 'east-1') });
  const privateKey = newKey();
  const params = [{ entryId: identity?.id ?? '', csr: await anyCsr(privateKey, parseSpiffeId('spiffe://east.example/web')) }];
  const { results } = await callUnary(await authority.overTls(node), SVIDService.batchNewX509Svid, { params });
  workload = { chain: results[0]?.svid?.certChain ?? [], privateKey };
});
afterAll(() => authority.close());

/** What GetBundle, which is open to everybody, answers to a request with 20 kB that it does not know. */
function statusOfLargeRequest(client: Client): Promise<number> {
  const unknownField = Buffer.concat([Buffer.from('7aa09c01', 'hex'), Buffer.alloc(20_000)]);
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      BundleService.getBundle.path,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      unknownField,
      new Metadata(),
      {},
      (error) => resolve(error?.code ?? OK),
    );
  });
}

test.each<[string, () => Promise<TlsCredential | undefined>, number]>([
  ['a node', async () => node, OK],
  ['an administrator', () => authority.mint('spiffe://east.example/symbolon/admin/x'), OK],
  ['a reader', () => authority.mint('spiffe://east.example/symbolon/reader/x'), OK],
  ['a workload', async () => workload, RESOURCE_EXHAUSTED],
  ['nobody', async () => undefined, RESOURCE_EXHAUSTED],
])('%s is known to the authority, or may ask as little as a stranger', async (_who, credential, status) => {
  expect(await statusOfLargeRequest(await authority.overTls(await credential()))).toBe(status);
});
