import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, Metadata } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RegistrationEntry } from '#core/registration/entry';
import { parseSelector } from '#core/registration/selector';
import type { BundleSet } from '#core/spiffe/bundle';
import { parseSpiffeId } from '#core/spiffe/id';
import { TestCa } from '#core/spiffe/testing/ca';
import { type Clock, systemClock } from '#daemon/clock';
import { callUnary, messagesOf } from '#daemon/grpc/call';
import { dialUnix, openClient } from '#daemon/grpc/dial';
import { openServerStream } from '#daemon/grpc/testing/server-stream';
import { silentLogger } from '#daemon/log';
import { SpiffeWorkloadAPIService, type X509BundlesResponse, type X509SVIDResponse } from '#proto/gen/spiffe/workload';
import { Emitter } from '#daemon/emitter';
import type { Credential } from '../proof/contract.ts';
import { serveWorkloadApi, SVID_GRACE_MS, type WorkloadApi } from './serve.ts';
import type { WorkloadApiSource } from './source.ts';

const ownNamespace = statSync('/proc/self/ns/net', { bigint: true }).ino;
const NODE = 'spiffe://east.example/symbolon/node/east-1';

/** This very process is the workload: it calls from its own network namespace, as its own user. */
class FakeSource implements WorkloadApiSource {
  readonly changes = new Emitter<void>();
  namespace = ownNamespace;
  entry: RegistrationEntry | undefined;
  credential: Credential | undefined;
  all: BundleSet = new Map();
  entryOfNamespace = (namespace: bigint) => (namespace === this.namespace ? this.entry : undefined);
  credentialOf = (id: string) => (id === this.entry?.id ? this.credential : undefined);
  bundles = () => this.all;
  subscribe = (listener: () => void) => this.changes.subscribe(listener);
}

let directory: string;
let source: FakeSource;
let api: WorkloadApi;
let client: Client;
let east: TestCa;
/** What waits for its time, in the order in which it was put off. */
let timers: { readonly ms: number; readonly run: () => void; cancelled: boolean }[];
const clock: Clock = {
  now: () => systemClock.now(),
  after: (ms, run) => {
    const timer = { ms, run, cancelled: false };
    timers.push(timer);
    return { cancel: () => void (timer.cancelled = true) };
  },
};
let west: TestCa;

async function credential(): Promise<Credential> {
  const issued = await east.issueWorkload('/web', 'east-1');
  return { svid: issued.verified(), privateKey: issued.privateKey };
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sy-api-'));
  east = await TestCa.create('east.example');
  west = await TestCa.create('west.example');
  timers = [];
  source = new FakeSource();
  source.all = new Map([...east.bundles, ...west.bundles]);
  source.credential = await credential();
  source.entry = {
    id: 'entry-web',
    spiffeId: source.credential.svid.id,
    parentId: parseSpiffeId(NODE),
    selectors: [parseSelector(`unix:uid:${process.geteuid?.()}`)],
    addresses: [],
    federatesWith: [],
    x509SvidTtlSeconds: 0,
    dnsNames: [],
    hint: 'main',
    revision: 0n,
  };
  api = await serveWorkloadApi({ path: join(directory, 'api.sock'), source, log: silentLogger, clock });
  client = openClient(dialUnix(api.path));
});
afterEach(async () => {
  client.close();
  await api.close();
  rmSync(directory, { recursive: true, force: true });
});

function withHeader(value = 'true'): Metadata {
  const metadata = new Metadata();
  metadata.set('workload.spiffe.io', value);
  return metadata;
}

function fetchSvid(metadata = withHeader()): AsyncGenerator<X509SVIDResponse> {
  const method = SpiffeWorkloadAPIService.fetchX509Svid;
  return messagesOf(openServerStream(client, method, {}, metadata), method);
}

function fetchBundles(metadata = withHeader()): AsyncGenerator<X509BundlesResponse> {
  const method = SpiffeWorkloadAPIService.fetchX509Bundles;
  return messagesOf(openServerStream(client, method, {}, metadata), method);
}

async function first<T>(stream: AsyncGenerator<T>): Promise<T | undefined> {
  const { value } = await stream.next();
  return value as T | undefined;
}

/** A call that begins and ends: what the server had to say before has been said. */
async function roundTrip(): Promise<void> {
  const stream = fetchBundles();
  await first(stream);
  await stream.return(undefined);
}

const STREAMS: readonly [string, (metadata?: Metadata) => AsyncGenerator<object>][] = [
  ['FetchX509SVID', fetchSvid],
  ['FetchX509Bundles', fetchBundles],
];

function change(apply: () => void): void {
  apply();
  source.changes.emit();
}

describe('the Workload API', () => {
  test('W5: the first message is the whole state, at once', async () => {
    const stream = fetchSvid();
    const svid = (await first(stream))?.svids[0];
    expect(svid).toMatchObject({ spiffeId: 'spiffe://east.example/web', hint: 'main' });
    const leaf = new X509Certificate(svid?.x509Svid ?? '');
    expect(leaf.subjectAltName).toBe('URI:spiffe://east.example/web');
    const key = createPrivateKey({ key: svid?.x509SvidKey ?? Buffer.alloc(0), format: 'der', type: 'pkcs8' });
    expect(createPublicKey(key).equals(leaf.publicKey)).toBe(true);
    expect(leaf.verify(new X509Certificate(svid?.bundle ?? '').publicKey)).toBe(true);
    await stream.return(undefined);
  });

  test('W3: a rotation is pushed', async () => {
    const stream = fetchSvid();
    await first(stream);
    const renewed = await credential();
    change(() => {
      source.credential = renewed;
    });
    expect((await first(stream))?.svids[0]?.x509Svid.equals(Buffer.concat(renewed.svid.chain))).toBe(true);
    await stream.return(undefined);
  });

  test('what changes nothing for the caller sends nothing', async () => {
    const stream = fetchSvid();
    await first(stream);
    let said: string | undefined;
    const next = first(stream).then((message) => (said = message?.svids[0]?.hint));
    change(() => undefined);
    await roundTrip();
    await roundTrip();
    expect(said).toBeUndefined();
    change(() => {
      source.entry = source.entry && { ...source.entry, hint: 'other' };
    });
    expect(await next).toBe('other');
    await stream.return(undefined);
  });

  test('W3: a bundle that changes is pushed, on both kinds of stream', async () => {
    source.entry = source.entry && { ...source.entry, federatesWith: [west.trustDomain] };
    const [svids, bundles] = [fetchSvid(), fetchBundles()];
    await Promise.all([first(svids), first(bundles)]);
    const next = await TestCa.create('west.example');
    change(() => {
      source.all = new Map([...east.bundles, [next.trustDomain, { ...next.bundle, authorities: [{ der: west.der }, { der: next.der }] }]]);
    });
    const both = Buffer.concat([west.der, next.der]);
    expect((await first(svids))?.federatedBundles).toEqual({ 'spiffe://west.example': both });
    expect((await first(bundles))?.bundles).toEqual({ 'spiffe://east.example': Buffer.from(east.der), 'spiffe://west.example': both });
    const renewed = await TestCa.create('east.example');
    change(() => void (source.all = new Map([...source.all, ...renewed.bundles])));
    expect((await first(svids))?.svids[0]?.bundle).toEqual(Buffer.from(renewed.der));
    expect((await first(bundles))?.bundles).toMatchObject({ 'spiffe://east.example': Buffer.from(renewed.der) });
    await Promise.all([svids.return(undefined), bundles.return(undefined)]);
  });

  test('W5: an SVID with intermediates is their DER in a row, leaf first', async () => {
    const issued = await (await (await east.intermediate()).intermediate()).issueWorkload('/web', 'east-1');
    source.credential = { svid: issued.verified(), privateKey: issued.privateKey };
    const stream = fetchSvid();
    const svid = (await first(stream))?.svids[0];
    expect(issued.chain).toHaveLength(3);
    expect(svid?.x509Svid).toEqual(Buffer.concat(issued.chain));
    expect(new X509Certificate(svid?.x509Svid ?? '').subjectAltName).toBe('URI:spiffe://east.example/web');
    expect(svid?.bundle).toEqual(Buffer.from(east.der));
    await stream.return(undefined);
  });

  test('a caller whose SVID is still to come waits for it', async () => {
    const given = source.credential;
    source.credential = undefined;
    const stream = fetchSvid();
    const answer = first(stream);
    await roundTrip();
    change(() => void (source.credential = given));
    expect((await answer)?.svids).toHaveLength(1);
    // And is not told afterwards that it came too late.
    expect(timers.filter((timer) => timer.ms === SVID_GRACE_MS && !timer.cancelled)).toEqual([]);
    await stream.return(undefined);
  });

  test('a caller whose SVID does not come in time is told to try again', async () => {
    source.credential = undefined;
    const answer = first(fetchSvid());
    const refused = expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE', cause: { code: 14 } });
    await roundTrip();
    const waiting = timers.filter((timer) => !timer.cancelled);
    expect(waiting.map((timer) => timer.ms)).toEqual([SVID_GRACE_MS]);
    for (const timer of waiting) timer.run();
    await refused;
  });

  test('bundles: the own trust domain’s, and those that the entry federates with', async () => {
    const method = SpiffeWorkloadAPIService.fetchX509Bundles;
    const fetched = async () => {
      const stream = messagesOf(openServerStream(client, method, {}, withHeader()), method);
      const { value } = await stream.next();
      await stream.return(undefined);
      return value?.bundles;
    };
    expect(await fetched()).toEqual({ 'spiffe://east.example': Buffer.from(east.der) });
    source.entry = source.entry && { ...source.entry, federatesWith: [west.trustDomain] };
    expect(await fetched()).toEqual({ 'spiffe://east.example': Buffer.from(east.der), 'spiffe://west.example': Buffer.from(west.der) });
    const stream = fetchSvid();
    expect((await first(stream))?.federatedBundles).toEqual({ 'spiffe://west.example': Buffer.from(west.der) });
    await stream.return(undefined);
  });

  describe.each(STREAMS)('%s', (_method, open) => {
    test.each([
      ['no header', new Metadata()],
      ['another value', withHeader('TRUE')],
      [
        'two values',
        (() => {
          const twice = withHeader();
          twice.add('workload.spiffe.io', 'true');
          return twice;
        })(),
      ],
    ])('E2: %s is an invalid argument', async (_, metadata) => {
      await expect(first(open(metadata))).rejects.toMatchObject({ code: 'REQUEST_INVALID', cause: { code: 3 } });
    });

    test.each<[string, () => void]>([
      ['a namespace that is no workload’s', () => void (source.namespace = 1n)],
      ['an undeclared workload', () => void (source.entry = undefined)],
      [
        'a caller without the workload’s selectors',
        () => void (source.entry = source.entry && { ...source.entry, selectors: [parseSelector('unix:uid:4000000')] }),
      ],
    ])('permission denied: %s', async (_, arrange) => {
      arrange();
      await expect(first(open())).rejects.toMatchObject({ code: 'PERMISSION_DENIED', cause: { code: 7 } });
    });

    test('a workload that loses its identity loses its stream', async () => {
      const stream = open();
      await first(stream);
      change(() => void (source.entry = undefined));
      await expect(first(stream)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    });
  });

  const jwtCalls: readonly [string, (metadata: Metadata) => Promise<unknown>][] = [
    [
      'FetchJWTSVID',
      (metadata) => callUnary(client, SpiffeWorkloadAPIService.fetchJwtsvid, { audience: ['a'], spiffeId: '' }, { metadata }),
    ],
    [
      'ValidateJWTSVID',
      (metadata) => callUnary(client, SpiffeWorkloadAPIService.validateJwtsvid, { audience: 'a', svid: '' }, { metadata }),
    ],
    [
      'FetchJWTBundles',
      (metadata) =>
        messagesOf(
          openServerStream(client, SpiffeWorkloadAPIService.fetchJwtBundles, {}, metadata),
          SpiffeWorkloadAPIService.fetchJwtBundles,
        ).next(),
    ],
  ];
  test.each(jwtCalls)('W1: %s is unimplemented, E2: and invalid without the header', async (_, call) => {
    await expect(call(withHeader())).rejects.toMatchObject({ code: 'NOT_IMPLEMENTED', cause: { code: 12 } });
    await expect(call(new Metadata())).rejects.toMatchObject({ code: 'REQUEST_INVALID', cause: { code: 3 } });
  });

  test('every process may connect', () => {
    expect(statSync(api.path).mode & 0o777).toBe(0o666);
  });
});
