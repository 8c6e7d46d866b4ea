import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Client, Metadata } from '@grpc/grpc-js';
import { callUnary } from '#daemon/grpc/call';
import { AgentService, AttestAgentRequest } from '#proto/gen/spire/server/agent';
import { BatchCreateEntryRequest, BatchUpdateEntryRequest, EntryService, ListEntriesRequest } from '#proto/gen/spire/server/entry';
import { BatchNewX509SVIDRequest, SVIDService } from '#proto/gen/spire/server/svid';
import { Entry } from '#proto/gen/spire/types';
import {
  ControlService,
  CreateAuthPolicyRequest,
  CreateIdentityRequest,
  CreateNodeRequest,
  SetTrustDomainRequest,
  UpdateNodeRequest,
} from '#proto/gen/symbolon/authority/control';
import { anyCsr, idParts, newKey, nodeId, TestAuthority, testIdentity, testNode, testPolicy } from '../testing/test-authority.ts';

const INTERNAL = 13;
const VARIANTS = 60;
const asIs = (bytes: Buffer): Buffer => bytes;

let authority: TestAuthority;
let node: Client;
beforeAll(async () => {
  authority = await TestAuthority.start();
  node = await authority.overTls(await authority.join('east-1', '10.1.0.0/16'));
});
afterAll(() => authority.close());

/** The same sequence in every run (xorshift). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** A message with some bytes changed, or cut short, or replaced altogether. */
function damage(message: Uint8Array, random: (below: number) => number): Buffer {
  const bytes = Buffer.from(message);
  if (random(8) === 0) return Buffer.from(Array.from({ length: random(200) }, () => random(256)));
  for (let i = 0; i <= random(4) && bytes.length > 0; i++) bytes[random(bytes.length)] = random(256);
  return random(4) === 0 ? bytes.subarray(0, random(bytes.length + 1)) : bytes;
}

/** The status that a raw request is answered with. */
function statusOf(client: Client, method: { readonly path: string; readonly requestStream: boolean }, bytes: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const done = (error: { code?: number } | null): void => resolve(error?.code ?? 0);
    if (method.requestStream) {
      const call = client.makeBidiStreamRequest(method.path, asIs, asIs, new Metadata(), {});
      call.on('error', done);
      call.on('data', () => undefined);
      call.on('end', () => done(null));
      call.write(bytes);
      call.end();
    } else client.makeUnaryRequest(method.path, asIs, asIs, bytes, new Metadata(), {}, done);
  });
}

const entry = Entry.fromPartial({
  spiffeId: idParts(nodeId('x')),
  parentId: idParts(nodeId('east-1')),
  selectors: [{ type: 'unix', value: 'uid:1' }],
});
const settings = { trustDomain: 'east.example', addressPrefixes: ['10.0.0.0/8'], enforcement: 1, x509SvidTtlSeconds: 5 };

type Method = { readonly path: string; readonly requestStream: boolean };
const REQUESTS: readonly (readonly [Method, () => Promise<Uint8Array> | Uint8Array])[] = [
  [ControlService.createNode, () => CreateNodeRequest.encode({ node: testNode('n', '10.7.0.0/16') }).finish()],
  [ControlService.updateNode, () => UpdateNodeRequest.encode({ node: testNode('east-1', '10.1.0.0/16'), expectedGeneration: 1n }).finish()],
  [ControlService.createAuthPolicy, () => CreateAuthPolicyRequest.encode({ policy: testPolicy('p') }).finish()],
  [ControlService.createIdentity, () => CreateIdentityRequest.encode({ identity: testIdentity('/web', 'east-1') }).finish()],
  [ControlService.setTrustDomain, () => SetTrustDomainRequest.encode(SetTrustDomainRequest.fromPartial({ settings })).finish()],
  [EntryService.batchCreateEntry, () => BatchCreateEntryRequest.encode({ entries: [entry], outputMask: undefined }).finish()],
  [
    EntryService.batchUpdateEntry,
    () => BatchUpdateEntryRequest.encode(BatchUpdateEntryRequest.fromPartial({ entries: [{ ...entry, id: 'x' }] })).finish(),
  ],
  [EntryService.listEntries, () => ListEntriesRequest.encode(ListEntriesRequest.fromPartial({ pageSize: 2, pageToken: 'x' })).finish()],
  [
    AgentService.attestAgent,
    async () => {
      const value = { data: { type: 'join_token', payload: Buffer.from('ab') }, params: { csr: await anyCsr(newKey()) } };
      return AttestAgentRequest.encode({ step: { $case: 'params', value } }).finish();
    },
  ],
  [
    SVIDService.batchNewX509Svid,
    async () => BatchNewX509SVIDRequest.encode({ params: [{ entryId: 'x', csr: await anyCsr(newKey()) }] }).finish(),
  ],
];

test.each(REQUESTS.map(([method, make]) => [method.path, method, make] as const))(
  '%s: what is damaged is refused, and never a fault of ours',
  async (_path, method, make) => {
    const random = randomNumbers(0x5eed + method.path.length);
    const message = await make();
    const client = method === SVIDService.batchNewX509Svid ? node : authority.admin;
    for (let i = 0; i < VARIANTS; i++) {
      const bytes = damage(message, random);
      expect([await statusOf(client, method, bytes), bytes.toString('hex')]).not.toContain(INTERNAL);
    }
    await callUnary(authority.admin, ControlService.getStatus, {});
  },
);
