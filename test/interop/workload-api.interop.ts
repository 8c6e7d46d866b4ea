import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { callUnary } from '#daemon/grpc/call';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { startWorld, type World } from '../setup/world.ts';
import { probe, RunningProbe } from './go-program.ts';

/** Lifetime of web's SVIDs: short, so that rotation is seen. */
const SHORT_SECONDS = 20;

let world: World;
beforeAll(async () => {
  world = await startWorld({ identities: ['payments', 'cache', 'reports'] });
  await world.declareIdentity('web', { x509SvidTtlSeconds: SHORT_SECONDS, hint: 'front' });
  await world.attested(['web']);
}, 60_000);
afterAll(async () => {
  await world?.close();
});

const id = (workload: string): string => `spiffe://east.example/${workload}`;
const declaredLate = 'batch';

test('go-spiffe fetches an SVID and verifies it with the bundle that came with it', async () => {
  const { code, said } = await probe(world.lab, 'web', 'svid');
  expect(said).toEqual([
    {
      svids: [{ id: id('web'), verifiedId: id('web'), hint: 'front', serial: expect.any(String), lifetime: expect.any(Number), chain: 1 }],
    },
  ]);
  expect(code).toBe(0);
});

test("two workloads of one node get their own SVIDs, another node's workload its own", async () => {
  for (const workload of ['payments', 'cache', 'reports']) {
    const { said } = await probe(world.lab, workload, 'svid');
    expect(said).toMatchObject([{ svids: [{ id: id(workload), verifiedId: id(workload) }] }]);
  }
}, 30_000);

test('go-spiffe fetches the bundles', async () => {
  expect(await probe(world.lab, 'payments', 'bundles')).toEqual({ code: 0, said: [{ authorities: { 'east.example': 1 } }] });
});

test('an X509Source gets every new SVID before the old one is over', async () => {
  const start = Date.now();
  const { code, said } = await probe(world.lab, 'web', 'source', '3');
  expect(said.map((svid) => svid.verifiedId)).toEqual([id('web'), id('web'), id('web')]);
  expect(new Set(said.map((svid) => svid.serial)).size).toBe(3);
  expect(code).toBe(0);
  // Three SVIDs are two renewals, each after at most the time that the one before it lives.
  expect(Date.now() - start).toBeLessThan(2 * SHORT_SECONDS * 1000);
}, 70_000);

test('mutual TLS over a live pair: web and payments, by the SVIDs of two nodes, know each other', async () => {
  const address = `${world.lab.addressOf('payments', 4)}:8443`;
  const server = new RunningProbe(world.lab, 'payments', 'serve', address, id('web'));
  try {
    await server.saying((said) => said.listening === address);
    expect(await probe(world.lab, 'web', 'dial', address, id('payments'))).toEqual({
      code: 0,
      said: [{ peer: id('payments'), answer: 'hello\n' }],
    });
    await server.saying((said) => said.peer === id('web'));

    // The gate lets reports through; the server itself does not: its SVID is another one.
    const before = server.said.length;
    expect((await probe(world.lab, 'reports', 'dial', address, id('payments'))).code).toBe(1);
    const refusal = await server.saying((said) => 'refused' in said, { from: before });
    expect(refusal.refused).toContain(id('reports'));

    const mistaken = await probe(world.lab, 'web', 'dial', address, id('cache'));
    expect(mistaken).toMatchObject({ code: 1, said: [{ message: expect.stringContaining(`unexpected ID "${id('payments')}"`) }] });
  } finally {
    server.stop();
  }
}, 60_000);

test('mutual TLS on one node, over IPv6 too', async () => {
  const address = `[${world.lab.addressOf('payments', 6)}]:8443`;
  const server = new RunningProbe(world.lab, 'payments', 'serve', address, id('cache'));
  try {
    await server.saying((said) => 'listening' in said);
    expect(await probe(world.lab, 'cache', 'dial', address, id('payments'))).toMatchObject({ code: 0, said: [{ peer: id('payments') }] });
    await server.saying((said) => said.peer === id('cache'));
  } finally {
    server.stop();
  }
}, 60_000);

test.each([
  ['an undeclared workload', 'stranger', 'svid', 'PermissionDenied', /no identity for this process/],
  ['bundles for an undeclared workload', 'stranger', 'bundles', 'PermissionDenied', /no identity for this process/],
  ['a call without the security header', 'web', 'no-header', 'InvalidArgument', /workload\.spiffe\.io: true/],
  ['the same from an undeclared workload', 'stranger', 'no-header', 'InvalidArgument', /workload\.spiffe\.io: true/],
  ['a JWT-SVID', 'web', 'jwt', 'Unimplemented', /X509-SVIDs only/],
  ['a WIT-SVID', 'web', 'wit', 'Unimplemented', /./],
])('%s is refused', async (_what, workload, action, code, message) => {
  expect(await probe(world.lab, workload, action)).toEqual({ code: 1, said: [{ code, message: expect.stringMatching(message) }] });
});

test('a watcher that is refused gets its SVID once it is declared, and loses it with its entry', async () => {
  const watcher = new RunningProbe(world.lab, declaredLate, 'watch');
  try {
    await watcher.saying((said) => said.code === 'PermissionDenied');
    const entry = await world.declareIdentity(declaredLate);
    await watcher.saying((said) => said.verifiedId === id(declaredLate), { timeoutMs: 40_000 });
    const before = watcher.said.length;
    await world.lab.authority.call((client) =>
      callUnary(client, ControlService.deleteIdentity, { id: entry, expectedGeneration: undefined }),
    );
    await watcher.saying((said) => said.code === 'PermissionDenied', { from: before });
  } finally {
    watcher.stop();
  }
}, 80_000);

test('a watcher outlives its agent: after a restart it goes on', async () => {
  const watcher = new RunningProbe(world.lab, 'reports', 'watch');
  try {
    await watcher.saying((said) => said.verifiedId === id('reports'));
    await world.lab.agents.kill(['east-3']);
    await watcher.saying((said) => said.code === 'Unavailable');
    const before = watcher.said.length;
    await world.lab.agents.up(['east-3']);
    await watcher.saying((said) => said.verifiedId === id('reports'), { from: before, timeoutMs: 40_000 });
  } finally {
    watcher.stop();
  }
}, 80_000);
