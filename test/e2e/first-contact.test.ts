import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { NodeGate } from '../setup/node-gate.ts';
import { withoutPrograms } from '../setup/without-programs.ts';
import { QUICKSTART_POLICIES, startWorld, type World } from '../setup/world.ts';

/** An answer to the one packet that the probe sends may take so long. */
const PATIENCE_MS = 15_000;
/** What is lost is given up after this. */
const LOST_MS = 1500;
const KINDS = [{ protocol: 'tcp', port: 8443 }, { protocol: 'udp', port: 5353 }, { protocol: 'echo' }] as const;
const FIRST = KINDS.flatMap((kind) =>
  ([4, 6] as const).map((family) => [`${kind.protocol} over IPv${family}`, { ...kind, family }] as const),
);
type FirstPacket = (typeof FIRST)[number][1];

const policy = QUICKSTART_POLICIES.find(({ name }) => name === 'web-to-payments');

let world: World;
let one: NodeGate;
let two: NodeGate;
beforeAll(async () => {
  world = await startWorld({ policies: [] });
  [one, two] = [new NodeGate(world.lab, 'east-1'), new NodeGate(world.lab, 'east-2')];
}, 60_000);
afterAll(async () => {
  await world?.close();
});

let declared = false;

/** Makes the next packet of web to payments the first: whatever pair there was is gone, and the policy allows one. */
async function strangersThatMayMeet(family: 4 | 6): Promise<void> {
  if (policy === undefined) throw new Error('the quickstart has no policy for web');
  if (declared) await world.enforced(await world.removePolicy(policy.name));
  declared = true;
  await world.declarePolicy(policy);
  const pairs = [one.sessionsWith(world.lab.addressOf('payments', family)), two.sessionsWith(world.lab.addressOf('web', family))];
  expect(pairs).toEqual([[], []]);
}

/** What becomes of web's one packet. */
async function onePacket(kind: FirstPacket, timeoutMs: number): Promise<string> {
  return (await world.prober.run({ from: 'web', to: 'payments', expected: 'passed', timeoutMs, ...kind })).seen;
}

test.each(FIRST)('the first packet of a pair waits for it and is not lost: %s', async (_, kind) => {
  await strangersThatMayMeet(kind.family);
  const [held, returned] = [one.counted('HELD'), one.counted('RETURNED')];
  expect(await onePacket(kind, PATIENCE_MS)).toBe('passed');
  expect([one.counted('HELD') > held, one.counted('RETURNED') > returned]).toEqual([true, true]);
});

test.each(FIRST.filter(([, { protocol }]) => protocol !== 'tcp'))(
  'if what was held did not come back it would be lost, and nobody would send it again: %s',
  async (_, kind) => {
    const seen = await withoutPrograms(
      [[one, 'sym_tap_in', 'ingress', 'symbolon-hold']],
      () => onePacket(kind, LOST_MS),
      () => strangersThatMayMeet(kind.family),
    );
    expect(seen).toBe('nothing');
  },
);
