import { describe, expect, test } from '@jest/globals';
import { SessionLease } from './session-lease.ts';

const S = 1_000_000_000n;
const tx = (lease: SessionLease): bigint => lease.current.txUntilBootNs / S;
const rx = (lease: SessionLease): bigint => lease.current.rxUntilBootNs / S;

describe('the lease of a session', () => {
  test('begins with 30 s to send and 32 s to receive', () => {
    const lease = new SessionLease(100n * S);
    expect([tx(lease), rx(lease)]).toEqual([130n, 132n]);
    expect([lease.lives(129n * S), lease.lives(130n * S), lease.isOver(131n * S), lease.isOver(132n * S)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  test('counts from when the answered keepalive was sent, not from when the answer was read', () => {
    const lease = new SessionLease(0n);
    const sequence = lease.nextKeepalive(10n * S);
    expect(lease.acknowledged(sequence, 25n * S)).toBe(true);
    expect([tx(lease), rx(lease)]).toEqual([40n, 42n]);
  });

  test('is not shortened by an older answer, nor prolonged by one to nothing or the same one again', () => {
    const lease = new SessionLease(0n);
    const [first, second] = [lease.nextKeepalive(5n * S), lease.nextKeepalive(10n * S)];
    lease.acknowledged(second, 11n * S);
    lease.acknowledged(first, 12n * S);
    lease.acknowledged(99n, 20n * S);
    lease.acknowledged(second, 20n * S);
    expect(tx(lease)).toBe(40n);
  });

  test('receiving goes on while the peer asks for signs of life; sending does not', () => {
    const lease = new SessionLease(0n);
    expect(lease.received(20n * S)).toBe(true);
    expect([tx(lease), rx(lease)]).toEqual([30n, 52n]);
  });

  test('that has ended is never prolonged: what lay in a buffer proves nothing', () => {
    const lease = new SessionLease(0n);
    const sequence = lease.nextKeepalive(29n * S);
    expect([lease.acknowledged(sequence, 31n * S), lease.received(31n * S)]).toEqual([false, false]);
    expect([tx(lease), rx(lease)]).toEqual([30n, 32n]);
  });
});
