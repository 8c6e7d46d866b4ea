import { describe, expect, test } from '@jest/globals';
import type { IpAddress } from '#core/network/address';
import { instantFromMs } from '#core/time/instant';
import type { Clock } from '#daemon/clock';
import type { EndpointId, HeldFlow } from '../contract.ts';
import { type FrameDevice, flowOf, flowsBetween, HOLD_TIMEOUT_NS, Hold } from './hold.ts';
import { makeFrame } from './testing/frames.ts';

/** A TAP of which the test is the kernel's side. */
class FakeDevice implements FrameDevice {
  readonly incoming: Buffer[] = [];
  readonly written: Buffer[] = [];
  private ready: () => void = () => undefined;
  /** Runs before each read: what the kernel does meanwhile. */
  beforeRead: () => void = () => undefined;

  read(): Buffer | undefined {
    this.beforeRead();
    return this.incoming.shift();
  }

  write(frame: Uint8Array): boolean {
    this.written.push(Buffer.from(frame));
    return true;
  }

  onReadable(ready: () => void): void {
    this.ready = ready;
  }

  arrive(...frames: readonly Buffer[]): void {
    this.incoming.push(...frames);
    this.ready();
  }

  /** What the frames carried, in the order they were written. */
  texts(): string {
    return this.written.map((frame) => frame.toString('latin1', 42)).join('');
  }
}

function setup() {
  const device = new FakeDevice();
  const owners = new Map<string, number>([['10.1.0.2', 7]]);
  const timers: (() => void)[] = [];
  const clock: Clock = {
    now: () => instantFromMs(0),
    after: (_, run) => {
      timers.push(run);
      return { cancel: () => undefined };
    },
  };
  const time = { now: 0n };
  const hold = new Hold(
    device,
    (address: IpAddress) => owners.get(address.text) as EndpointId | undefined,
    clock,
    () => time.now,
  );
  const held: HeldFlow[] = [];
  hold.onHeld((flow) => held.push(flow));
  return { device, owners, hold, held, time, tick: () => timers.shift()?.(), turn: () => new Promise(setImmediate) };
}

const toServer = flowsBetween(
  { realm: 0, local: { family: 4, text: '10.1.0.2' }, remote: { family: 4, text: '10.2.0.2' } },
  (protocol, port) => protocol === 6 && port === 8443,
);

describe('Hold', () => {
  test('tells once of a flow that waits', async () => {
    const { device, held, turn } = setup();
    device.arrive(makeFrame(), makeFrame({ sourcePort: 2 }), makeFrame({ port: 9090 }));
    device.arrive(makeFrame());
    await turn();
    expect(held.map(({ key }) => [key.endpoint, key.role, key.protocol, key.servicePort])).toEqual([
      [7, 'client', 6, 8443],
      [7, 'client', 6, 9090],
    ]);
    expect(held[0]?.flow).toMatchObject({
      source: { text: '10.1.0.2' },
      destination: { text: '10.2.0.2' },
      protocol: 6,
      servicePort: 8443,
    });
  });

  test.each([
    ['the address of another endpoint', makeFrame({ endpoint: 8 })],
    ['an address that nobody owns', makeFrame({ source: '10.1.0.9' })],
    ['bytes that are no packet', Buffer.from('nonsense')],
  ])('drops a frame with %s', async (_, frame) => {
    const { device, hold, held, turn } = setup();
    device.arrive(frame);
    await turn();
    expect(held).toEqual([]);
    expect(hold.counts()).toEqual({ flows: 0, frames: 0, dropped: 0, refused: 1 });
  });

  test('releases what the pair covers in order, with what arrives meanwhile, before it opens', () => {
    const { device, hold } = setup();
    device.arrive(makeFrame({ payload: 'a' }), makeFrame({ payload: 'b' }), makeFrame({ port: 9090, payload: 'X' }));
    let late = ['c', 'd'];
    device.beforeRead = () => {
      const payload = late.shift();
      if (payload) device.incoming.push(makeFrame({ payload }));
    };
    let opened = '';
    hold.release(7, toServer, () => {
      opened = device.texts();
      late = ['e'];
    });
    expect(opened).toBe('abcd');
    expect(device.texts()).toBe('abcde');
    expect(hold.counts()).toMatchObject({ flows: 1, frames: 1 });
  });

  test('keeps order no longer than some milliseconds for a sender that never pauses', () => {
    const { device, hold, time } = setup();
    device.arrive(makeFrame());
    device.beforeRead = () => {
      time.now += 10_000n;
      device.incoming.push(makeFrame());
    };
    let opened = false;
    hold.release(7, toServer, () => {
      opened = true;
      device.beforeRead = () => undefined;
    });
    expect(opened).toBe(true);
    expect(time.now).toBeLessThan(5_000_000n);
  });

  test('does not tell of a flow that has been answered before its turn', async () => {
    const { device, hold, held, turn } = setup();
    device.arrive(makeFrame());
    hold.forget(7, toServer);
    await turn();
    expect(held).toEqual([]);
    device.arrive(makeFrame());
    await turn();
    expect(held).toHaveLength(1);
  });

  test('drops what nobody answered in time, and tells of the next packet anew', async () => {
    const { device, hold, held, time, tick, turn } = setup();
    device.arrive(makeFrame());
    await turn();
    time.now = HOLD_TIMEOUT_NS;
    tick();
    expect(hold.counts().flows).toBe(1);
    time.now += 1n;
    tick();
    expect(hold.counts()).toMatchObject({ flows: 0, dropped: 1 });
    device.arrive(makeFrame());
    await turn();
    expect(held).toHaveLength(2);
  });

  test('lets a flow wait anew in the name of its source’s new owner', async () => {
    const { device, hold, held, owners, turn } = setup();
    device.arrive(makeFrame({ payload: 'a' }));
    await turn();
    owners.set('10.1.0.2', 9);
    hold.restartMoved();
    await turn();
    expect(held.map(({ key }) => key.endpoint)).toEqual([7, 9]);
    expect(hold.isWaiting(7, toServer)).toBe(false);
    const key = held[1]?.key;
    if (key) hold.sendThrough(9, flowOf(key));
    expect(device.written.map((frame) => [frame.readUInt32LE(6), frame.readUInt16LE(10)])).toEqual([[9, 3]]);
  });

  test('a flow whose source has no owner any more is dropped', () => {
    const { device, hold, owners } = setup();
    device.arrive(makeFrame());
    owners.clear();
    hold.restartMoved();
    expect(hold.counts()).toMatchObject({ flows: 0, frames: 0 });
    expect(device.written).toEqual([]);
  });

  test('one endpoint’s flood leaves room for another’s first packet', async () => {
    const { device, held, owners, turn } = setup();
    owners.set('10.1.0.3', 8);
    for (let i = 0; i < 20_000; i++) device.incoming.push(makeFrame({ destination: `10.2.${i >> 8}.${i & 255}`, port: 1 + (i % 500) }));
    for (let i = 0; i < 30; i++) device.arrive();
    device.arrive(makeFrame({ endpoint: 8, source: '10.1.0.3' }));
    await turn();
    expect(held.filter(({ key }) => key.endpoint === 8)).toHaveLength(1);
    expect(held.filter(({ key }) => key.endpoint === 7)).toHaveLength(256);
  });
});
