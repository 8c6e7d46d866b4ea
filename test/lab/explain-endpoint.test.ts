import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { callUnary } from '#daemon/grpc/call';
import { type CommandResult, runCommand } from '#lab/command';
import { findCheckout } from '#lab/executables';
import { ControlService } from '#proto/gen/symbolon/authority/control';
import { QUICKSTART_POLICIES, startWorld, type World } from '../setup/world.ts';

const cli = join(findCheckout(), 'dist/symbolon/symbolon.js');
const POLICY = { name: 'reports-pings-payments', from: ['reports'], to: ['payments'], traffic: ['icmp'] };

let world: World;
beforeAll(async () => {
  world = await startWorld({ policies: [...QUICKSTART_POLICIES, POLICY] });
}, 90_000);
afterAll(async () => {
  await world?.close();
});

const explain = (source: string): Promise<CommandResult> =>
  runCommand([process.execPath, cli, 'explain', source, 'payments/icmp', '--admin-socket', world.lab.authority.adminSocket]);

/** The answer comes when the session is given up: after 3 s. */
const ping = (source: string): Promise<CommandResult> =>
  world.lab.execAs(source, ['ping', '-c', '1', '-W', '20', world.lab.addressOf('payments', 4)]);

/** Gives a node other endpoints; resolves with those that it had, when the agents know. */
async function setEndpoints(name: string, endpoints: readonly string[]): Promise<readonly string[]> {
  const { before, revision } = await world.lab.authority.call(async (client) => {
    const node = await callUnary(client, ControlService.getNode, { id: '', name });
    const wish = { node: { ...node, endpoints: [...endpoints] }, expectedGeneration: undefined };
    return { before: node.endpoints, revision: (await callUnary(client, ControlService.updateNode, wish)).revision };
  });
  await world.enforced(revision);
  return before;
}

// Two nodes each that have no session yet: one that lives would go on.
test.each([
  ["the source's", 'east-3', 'reports'],
  ["the destination's", 'east-2', 'web'],
])('without an endpoint of %s node explain refuses, and so do the nodes; with it both let pass', async (_, name, source) => {
  const before = await setEndpoints(name, []);
  const answer = await explain(source);
  expect([answer.code, answer.stdout]).toEqual([
    1,
    expect.stringContaining(`missing  an endpoint of spiffe://east.example/symbolon/node/${name}`),
  ]);
  expect(await ping(source)).toMatchObject({ code: 1, stdout: expect.stringContaining('Packet filtered') });
  await setEndpoints(name, before);
  expect(await explain(source)).toMatchObject({ code: 0 });
  await world.eventually(async () => expect(await ping(source)).toMatchObject({ code: 0 }), 30_000);
});
