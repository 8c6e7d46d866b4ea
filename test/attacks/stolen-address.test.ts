import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OPERATOR } from '#lab/names';
import type { ProbeRow } from '#lab/probe';
import { NodeGate } from '../setup/node-gate.ts';
import { type Attached, withoutPrograms } from '../setup/without-programs.ts';
import { startWorld, type World } from '../setup/world.ts';

// web's address, sent from another node or from where there is none, while web and payments have no pair: web never speaks in this file. What is
// refused at the sender's node is switched off, so that the receiver's gate stands alone. (Inside a live pair: forged-packets.test.ts.)
let world: World;
let two: NodeGate;
let three: NodeGate;
beforeAll(async () => {
  world = await startWorld();
  [two, three] = [new NodeGate(world.lab, 'east-2'), new NodeGate(world.lab, 'east-3')];
}, 90_000);
afterAll(async () => {
  await world?.close();
});

let serial = 0;

/** Tries a row without these programs. Whatever changes the agents' view has them put back what is missing. */
async function tryWithout(programs: readonly Attached[], row: ProbeRow): Promise<string> {
  try {
    return (await withoutPrograms(programs, () => world.prober.run(row))).seen;
  } finally {
    await world.declarePolicy({ name: `another-${serial++}`, from: ['reports'], to: ['cache'], traffic: ['tcp/1'] });
    expect(await Promise.all(programs.map(([gate, ...link]) => gate.isAttached(...link)))).not.toContain(false);
  }
}

const senderSide = (from: string): readonly Attached[] =>
  from === OPERATOR
    ? []
    : [
        [three, 'sym_wl_in', 'ingress', `ve-${from}`],
        [three, 'sym_up_out', 'egress', 'eth0'],
      ];
const receiverSide = (): readonly Attached[] => [
  [two, 'sym_up_in', 'ingress', 'eth0'],
  [two, 'sym_wl_out', 'egress', 've-payments'],
];

const KINDS = [{ protocol: 'tcp', port: 8443 }, { protocol: 'udp', port: 5353 }, { protocol: 'echo' }] as const;

describe.each([
  ['an undeclared workload of another node', 'drifter'],
  ['a declared one of another node, which a policy lets reach payments', 'reports'],
  ['a place without a gate', OPERATOR],
])("web's address, sent by %s", (_, from) => {
  const rows = KINDS.flatMap((kind) =>
    ([4, 6] as const).map((family): readonly [string, ProbeRow] => [
      `${kind.protocol} over IPv${family}`,
      // Nobody answers. ping(8) has to start first.
      { from, to: 'payments', sourceOf: 'web', ...kind, family, expected: 'nothing', timeoutMs: kind.protocol === 'echo' ? 1000 : 400 },
    ]),
  );

  test.each(rows)("is refused by the receiver's gate, with the sender's switched off: %s", async (_title, row) => {
    expect(two.sessionsWith(world.lab.addressOf('web', row.family))).toEqual([]);
    const refused = two.counted('NO_PAIR');
    expect(await tryWithout(senderSide(from), row)).toBe('nothing');
    expect(two.counted('NO_PAIR')).toBeGreaterThan(refused);
  });

  test.each(rows)("would arrive without the receiver's gate: %s", async (_title, row) => {
    expect(await tryWithout([...senderSide(from), ...receiverSide()], row)).toBe('delivered');
  });
});
