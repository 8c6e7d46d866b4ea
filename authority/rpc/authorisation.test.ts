import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, Metadata } from '@grpc/grpc-js';
import { isSymbolonError } from '#core/errors/error';
import { TestCa } from '#core/spiffe/testing/ca';
import { systemClock } from '#daemon/clock';
import { callUnary } from '#daemon/grpc/call';
import { AgentService } from '#proto/gen/spire/server/agent';
import { BundleService } from '#proto/gen/spire/server/bundle';
import { EntryService } from '#proto/gen/spire/server/entry';
import { SVIDService } from '#proto/gen/spire/server/svid';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { NodeSyncService } from '#proto/gen/symbolon/authority/sync';
import { HealthService } from '#proto/gen/tfplugin/health';
import { TestAuthority } from '../testing/test-authority.ts';
import { RIGHTS, type Right } from './authorisation.ts';

const METHODS = [ControlService, NodeSyncService, EntryService, AgentService, BundleService, SVIDService, HealthService].flatMap(
  (service) =>
    Object.values(
      service as Readonly<Record<string, { readonly path: string; readonly requestStream: boolean; readonly responseStream: boolean }>>,
    ),
);
const EMPTY = Buffer.alloc(0);
const asIs = (bytes: Buffer): Buffer => bytes;

test('every RPC that is served has its right, and no other is listed', () => {
  expect(Object.keys(RIGHTS).toSorted()).toEqual(METHODS.map((method) => method.path).toSorted());
});

/** What each caller may do. */
const MAY: Readonly<Record<string, readonly Right[]>> = {
  'the admin socket': ['open', 'read', 'write'],
  'an admin SVID': ['open', 'read', 'write'],
  'a reader SVID': ['open', 'read'],
  'an attested node': ['open', 'node'],
  "a workload's SVID": ['open'],
  'no certificate': ['open'],
};

let authority: TestAuthority;
const clients = new Map<string, Client>();
beforeAll(async () => {
  authority = await TestAuthority.start();
  clients.set('the admin socket', authority.admin);
  clients.set('an admin SVID', await authority.overTls(await authority.mint('spiffe://east.example/symbolon/admin/ci')));
  clients.set('a reader SVID', await authority.overTls(await authority.mint('spiffe://east.example/symbolon/reader/ci')));
  clients.set('an attested node', await authority.overTls(await authority.join('east-1', '10.1.0.0/16')));
  clients.set("a workload's SVID", await authority.overTls(await authority.mint('spiffe://east.example/web')));
  clients.set('no certificate', await authority.overTls());
});
afterAll(() => authority.close());

/** Calls a method with an empty request: true if it was refused for who calls, false for whatever else it answered. */
function isDenied(client: Client, method: (typeof METHODS)[number]): Promise<boolean> {
  return new Promise((resolve) => {
    const bidi = method.requestStream ? client.makeBidiStreamRequest(method.path, asIs, asIs, new Metadata(), {}) : undefined;
    const call = bidi ?? client.makeServerStreamRequest(method.path, asIs, asIs, EMPTY, new Metadata(), {});
    call.on('data', () => {
      resolve(false);
      call.cancel();
    });
    call.on('error', (error: { details?: string }) => resolve(/may not call|only node agents/.test(error.details ?? '')));
    call.on('end', () => resolve(false));
    bidi?.end();
  });
}

describe.each(Object.entries(MAY))('%s', (caller, rights) => {
  test.each(METHODS.map((method) => [method.path.replace(/.*\./, ''), method] as const))('%s', async (_name, method) => {
    const client = clients.get(caller);
    if (!client) throw new Error(caller);
    const right = RIGHTS[method.path];
    expect(await isDenied(client, method)).toBe(right === undefined || !rights.includes(right));
  });
});

test.each([
  'spiffe://east.example/symbolon/node/east-1',
  'spiffe://east.example/symbolon/authority',
  'spiffe://east.example/symbolon/anything/else',
  'spiffe://east.example',
  'spiffe://west.example/web',
])('%s is not minted, not even for an administrator', async (id) => {
  await expect(authority.mint(id)).rejects.toMatchObject({ code: 'CSR_INVALID' });
});

test('an SVID that another CA made of an administrator or node of this domain opens no connection', async () => {
  const at = systemClock.now();
  const forged = await TestCa.create('east.example', { notBefore: at, notAfter: (at + 3_600_000) as typeof at });
  for (const path of ['/symbolon/admin/ci', '/symbolon/node/east-1']) {
    const svid = await forged.issue(path, { notBefore: at, notAfter: (at + 3_600_000) as typeof at });
    const error = await callUnary(await authority.overTls(svid), ControlService.getStatus, {}).catch((e: unknown) => e);
    expect(isSymbolonError(error, 'UNAVAILABLE')).toBe(true);
  }
});
