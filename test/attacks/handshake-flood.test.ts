import { spawn } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseIpAddress } from '#core/network/address';
import { TestCa } from '#core/spiffe/testing/ca';
import type { EndpointId } from '../../agent/datapath/contract.ts';
import { startTwoAgents, type TestAgent } from '../../agent/pair/testing/test-agent.ts';
import { ACCEPT_LIMITS, type AcceptLimits } from '../../agent/session/accept-queue.ts';
import { tcpFlow, until } from '../../agent/session/testing/links.ts';
import { HANDSHAKE_FLOOD } from '../setup/floods.ts';
import { UNLIMITED } from '../setup/unlimited.ts';

// Two agents in this process, and a flood from another: what the limits are worth against one that is made of ordinary handshakes. These cost so little that
// renewals come in between, limits or not; what is at stake is how much a flood keeps busy and open. costly-handshakes.test.ts has the flood that costs
// leases where there are no limits, floods-and-leases.test.ts the agents as they are.

const FLOW = tcpFlow('10.1.0.2', '10.2.0.2', 8443);
const FLOOD_SECONDS = 4;
/** Twelve seconds are taken from leases of thirty: what has more than this left has been renewed since. */
const RENEWED_NS = 20_000_000_000n;

let one: TestAgent;
let two: TestAgent;
let web: EndpointId;
beforeEach(async () => {
  ({ one, two, web } = await startTwoAgents(await TestCa.create()));
  one.datapath.send(web, FLOW);
  await until(() => one.datapath.admits(web, FLOW, 'client'), 'the pair');
});
afterEach(() => Promise.all([one.manager.close(), two.manager.close()]));

/** Floods node two's port while leases are brought close to their end again and again. */
async function flood(limits: AcceptLimits): Promise<{ tried: number; completed: number; refused: number; renewals: number }> {
  // Anew, with these limits; the pair's session stays as it is.
  const listener = await two.manager.listen({ address: parseIpAddress('127.0.0.1'), port: 0, limits });
  const child = spawn('python3', ['-c', HANDSHAKE_FLOOD, '127.0.0.1', String(listener.port), String(FLOOD_SECONDS)]);
  let said = '';
  const flooding = { over: false };
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.on('close', resolve)).then(() => {
    flooding.over = true;
  });
  // Each end has a lease of its own: if one of them lapses, the session ends.
  const isRenewed = ({ manager, datapath }: TestAgent): boolean =>
    manager.sessions().every(({ index }) => (datapath.leases.get(index)?.txUntilBootNs ?? 0n) - datapath.bootNs() > RENEWED_NS);
  let renewals = 0;
  while (!flooding.over) {
    for (const { datapath } of [one, two]) datapath.advance(12);
    expect([isRenewed(one), isRenewed(two)]).toEqual([false, false]);
    await until(() => flooding.over || (isRenewed(one) && isRenewed(two)), 'a renewal');
    if (!flooding.over) renewals++;
    expect(one.datapath.admits(web, FLOW, 'client')).toBe(true);
  }
  await ended;
  const [tried = 0, completed = 0] = said.split(' ').map(Number);
  return { tried, completed, refused: listener.refusedConnections, renewals };
}

test('of one address finds few places, and costs no pair its lease', async () => {
  const { tried, completed, refused, renewals } = await flood(ACCEPT_LIMITS);
  expect([tried > 300, renewals > 0]).toEqual([true, true]);
  expect(completed).toBeLessThan(tried / 10);
  expect(refused).toBeGreaterThan(tried / 2);
});

test('without limits gets all its handshakes, and keeps open what it wants', async () => {
  const { tried, completed, refused, renewals } = await flood(UNLIMITED);
  expect([tried > 300, renewals > 0, refused]).toEqual([true, true, 0]);
  // Three in four of the connections speak; all of these get through.
  expect(completed).toBeGreaterThan(tried / 2);
});
