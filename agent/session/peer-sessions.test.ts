import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { parseIpAddress } from '#core/network/address';
import type { DirectoryNode } from '#core/registration/directory';
import { parseSpiffeId, parseTrustDomain } from '#core/spiffe/id';
import { systemClock } from '#daemon/clock';
import { silentLogger } from '#daemon/log';
import { CONNECT_TIMEOUT_MS, FIRST_RETRY_MS, LAST_RETRY_MS, PeerSessions } from './peer-sessions.ts';

const PEER = parseSpiffeId('spiffe://east.example/symbolon/node/east-2');
const NODE: DirectoryNode = {
  source: parseTrustDomain('east.example'),
  realm: 0,
  nodeId: PEER,
  kind: 'node',
  prefixes: [],
  endpoints: [{ address: parseIpAddress('192.0.2.2'), port: 7420 }],
  generation: 1n,
};
/** Longer than any pause between two attempts, jitter included. */
const LONGEST_PAUSE_MS = LAST_RETRY_MS * 1.25 + FIRST_RETRY_MS;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** Sessions with a peer that refuses every connection. */
function withDeadPeer(needed: boolean): { readonly sessions: PeerSessions; readonly attempts: () => number } {
  let attempts = 0;
  const dial = async (): Promise<never> => {
    attempts += 1;
    throw new Error('connect ECONNREFUSED');
  };
  const sessions = new PeerSessions(PEER, { dial, node: () => NODE, needed: () => needed, clock: systemClock, log: silentLogger });
  return { sessions, attempts: () => attempts };
}

test('a peer that live pairs need is dialled less and less often', async () => {
  const { sessions, attempts } = withDeadPeer(true);
  sessions.connect(() => 0n);
  await jest.advanceTimersByTimeAsync(60_000);
  const inFirstMinute = attempts();
  await jest.advanceTimersByTimeAsync(60_000);
  expect(inFirstMinute).toBeLessThan(60_000 / FIRST_RETRY_MS / 5);
  expect(attempts() - inFirstMinute).toBeLessThanOrEqual(60_000 / (LAST_RETRY_MS * 0.75));
  expect(attempts() - inFirstMinute).toBeGreaterThanOrEqual(Math.floor(60_000 / LONGEST_PAUSE_MS));
  sessions.close();
});

test('a flow that waits does not wait for the end of a long pause', async () => {
  const { sessions, attempts } = withDeadPeer(true);
  sessions.connect(() => 0n);
  await jest.advanceTimersByTimeAsync(60_000);
  // Right after an attempt, at the beginning of a long pause.
  for (const before = attempts(); attempts() === before; ) await jest.advanceTimersByTimeAsync(10);
  const before = attempts();
  const link = sessions.acquire(() => 0n);
  await jest.advanceTimersByTimeAsync(FIRST_RETRY_MS / 2);
  expect(attempts()).toBe(before);
  await jest.advanceTimersByTimeAsync(FIRST_RETRY_MS);
  expect(attempts()).toBe(before + 1);
  await jest.advanceTimersByTimeAsync(CONNECT_TIMEOUT_MS);
  expect(await link).toBeUndefined();
  const perAttempt = (CONNECT_TIMEOUT_MS + 1.5 * FIRST_RETRY_MS) / (attempts() - before);
  expect(perAttempt).toBeGreaterThanOrEqual(FIRST_RETRY_MS * 0.75);
  expect(perAttempt).toBeLessThan(FIRST_RETRY_MS * 1.5);
  sessions.close();
});

test('nobody is dialled when nothing waits any more', async () => {
  const { sessions, attempts } = withDeadPeer(false);
  const link = sessions.acquire(() => 0n);
  await jest.advanceTimersByTimeAsync(CONNECT_TIMEOUT_MS);
  expect(await link).toBeUndefined();
  const asked = attempts();
  expect(asked).toBeGreaterThan(0);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(attempts()).toBeLessThanOrEqual(asked + 1);
});

test('of many flows that wait in vain each looks a few times, however many they are', async () => {
  const { sessions } = withDeadPeer(false);
  const flows = 500;
  let looks = 0;
  const look = (): bigint => {
    looks += 1;
    return 0n;
  };
  const ends = Promise.all(Array.from({ length: flows }, () => sessions.acquire(look)));
  await jest.advanceTimersByTimeAsync(CONNECT_TIMEOUT_MS);
  expect(new Set(await ends)).toEqual(new Set([undefined]));
  expect(looks).toBeLessThan(10 * flows);
});
