import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { ACCEPT_LIMITS, type AcceptLimits, AcceptQueue } from './accept-queue.ts';

class FakeSocket extends EventEmitter {
  destroyed = false;
  constructor(readonly remoteAddress: string | undefined) {
    super();
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** Offers connections of these addresses in one turn. Which have begun by the end of each of some turns, and what else there is to say. */
async function offered(addresses: readonly (string | undefined)[], limits: Partial<AcceptLimits> = {}, turns = 8) {
  const begun: number[] = [];
  const sockets = addresses.map((address) => new FakeSocket(address));
  const queue = new AcceptQueue((socket) => void begun.push(sockets.indexOf(socket as unknown as FakeSocket)), {
    ...ACCEPT_LIMITS,
    ...limits,
  });
  for (const socket of sockets) queue.offer(socket as unknown as Socket);
  const counts = [begun.length];
  const pass = async (): Promise<void> => {
    for (let turn = 0; turn < turns; turn++) {
      await nextTurn();
      counts.push(begun.length);
    }
  };
  await pass();
  return { queue, sockets, begun, counts, pass, done: (at: number) => queue.done(sockets[at] as unknown as Socket) };
}

const five = ['a', 'b', 'c', 'd', 'e'];

test.each<[string, Partial<AcceptLimits>, readonly number[]]>([
  ['one in each turn of the event loop', {}, [0, 1, 2, 3, 4, 5, 5, 5, 5]],
  ['as many as a turn has room for', { handshakesOfOneTurn: 2 }, [0, 2, 4, 5, 5, 5, 5, 5, 5]],
  ['no more than may run at once', { handshakes: 3 }, [0, 1, 2, 3, 3, 3, 3, 3, 3]],
  ['no more than may run at once, in one turn', { handshakes: 3, handshakesOfOneTurn: 9 }, [0, 3, 3, 3, 3, 3, 3, 3, 3]],
])('handshakes begin: %s', async (_, limits, expected) => {
  const { counts, begun } = await offered(five, limits);
  expect(counts).toEqual(expected);
  expect(begun).toEqual([0, 1, 2, 3, 4].slice(0, begun.length));
});

test.each<[string, readonly (string | undefined)[], Partial<AcceptLimits>, readonly number[]]>([
  ['of an address that has its share', ['a', 'a', 'a', 'b'], { handshakesOfOneAddress: 2 }, [2]],
  ['for which there is no room to wait', five, { waiting: 3 }, [3, 4]],
  ['that is gone and has no address', ['a', undefined, 'b'], {}, [1]],
])('a connection %s is closed at once', async (_, addresses, limits, expected) => {
  const { queue, sockets, begun } = await offered(addresses, limits);
  expect(sockets.flatMap(({ destroyed }, at) => (destroyed ? [at] : []))).toEqual(expected);
  expect([queue.refused, begun.length]).toEqual([expected.length, addresses.length - expected.length]);
});

test.each<[string, (queue: Awaited<ReturnType<typeof offered>>, at: number) => void]>([
  ['the handshake is complete', ({ done }, at) => done(at)],
  ['the connection is gone', ({ sockets }, at) => sockets[at]?.destroy()],
  ['both, but for one place', (queue, at) => [queue.done(at), queue.sockets[at]?.destroy()]],
])('a place is free again when %s', async (_, end) => {
  const all = await offered(five, { handshakes: 2 });
  expect(all.begun).toEqual([0, 1]);
  end(all, 0);
  await all.pass();
  expect(all.begun).toEqual([0, 1, 2]);
  // One that goes while it waits leaves the place to the next.
  all.sockets[3]?.destroy();
  end(all, 1);
  await all.pass();
  expect(all.begun).toEqual([0, 1, 2, 4]);
});
