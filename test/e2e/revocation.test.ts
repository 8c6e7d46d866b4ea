import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { QUICKSTART_POLICIES, startWorld, type World } from '../setup/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
}, 60_000);
afterAll(async () => {
  await world?.close();
});

const reportsPolicy = QUICKSTART_POLICIES.find((policy) => policy.name === 'reports-to-payments');

test('removing a policy cuts an established connection; restoring it lets new ones in, while the old one stays dead', async () => {
  const old = await world.prober.connect('reports', 'payments', 8443);
  expect(old.opened.kind).toBe('answered');
  expect((await old.exchange()).kind).toBe('answered');

  await world.enforced(await world.removePolicy('reports-to-payments'));
  expect((await old.exchange(500)).kind).not.toBe('answered');
  expect(
    await world.prober.run({ from: 'reports', to: 'payments', protocol: 'tcp', port: 8443, family: 4, expected: 'refused' }),
  ).toMatchObject({
    seen: 'refused',
  });

  if (reportsPolicy) await world.declarePolicy(reportsPolicy);
  expect(
    await world.prober.run({ from: 'reports', to: 'payments', protocol: 'tcp', port: 8443, family: 4, expected: 'passed' }),
  ).toMatchObject({
    seen: 'passed',
  });
  expect((await old.exchange(500)).kind).not.toBe('answered');
});

test('a same-node connection is cut as well', async () => {
  const kept = await world.prober.connect('cache', 'payments', 8443);
  expect((await kept.exchange()).kind).toBe('answered');
  await world.enforced(await world.removePolicy('cache-to-payments'));
  expect((await kept.exchange(500)).kind).not.toBe('answered');
});
