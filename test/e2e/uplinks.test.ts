import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { UPLINK } from '#lab/names';
import { NodeGate } from '../setup/node-gate.ts';
import { startWorld, type World } from '../setup/world.ts';

const NODES = ['east-1', 'east-2', 'east-3'];

let world: World;
beforeAll(async () => {
  world = await startWorld({ uplinks: [] });
}, 60_000);
afterAll(async () => {
  await world?.close();
});

const commandLineOf = (node: string): string => readFileSync(`/proc/${world.lab.agents.pid(node)}/cmdline`, 'utf8');

test('agents that are told of no uplink find it, and put their gate there', async () => {
  for (const node of NODES) {
    expect(commandLineOf(node)).not.toContain('--uplink');
    const gate = new NodeGate(world.lab, node);
    expect(await gate.isAttached('sym_up_out', 'egress', UPLINK)).toBe(true);
    expect(await gate.isAttached('sym_up_in', 'ingress', UPLINK)).toBe(true);
  }
});

const TO_PAYMENTS = { to: 'payments', protocol: 'tcp', port: 8443, timeoutMs: 5000 } as const;

test.each([
  ['web', 4, 'passed'],
  ['web', 6, 'passed'],
  ['batch', 4, 'refused'],
  ['batch', 6, 'refused'],
] as const)('traffic of %s over IPv%i is %s by it', async (from, family, expected) => {
  expect(await world.prober.run({ ...TO_PAYMENTS, from, family, expected })).toMatchObject({ seen: expected });
});
