import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HoldQueue } from './queue.ts';

const LIMITS = { framesPerFlow: 3, flowsPerEndpoint: 4, frames: 8 };

function setup(): { queue: HoldQueue<string>; admit: (endpoint: number, flow: string, text?: string, at?: bigint) => boolean } {
  const queue = new HoldQueue<string>(LIMITS);
  return {
    queue,
    admit: (endpoint, flow, text = 'x', at = 0n) => queue.admit(flow, endpoint, Buffer.from(text), at, () => flow) !== undefined,
  };
}

const texts = (frames: readonly Buffer[] | undefined): string => (frames ?? []).map(String).join('');

describe('HoldQueue', () => {
  test('says once that a flow begins to wait, and gives its frames back in order', () => {
    const { queue, admit } = setup();
    expect([admit(1, 'f', 'a'), admit(1, 'f', 'b'), admit(1, 'g', 'c'), admit(1, 'f', 'd')]).toEqual([true, false, true, false]);
    expect(texts(queue.take('f')?.frames)).toBe('abd');
    expect(queue.take('f')).toBeUndefined();
    expect(queue.size).toEqual({ flows: 1, frames: 1 });
    expect(admit(1, 'f')).toBe(true);
  });

  test('keeps the first frames of a flow that has too many', () => {
    const { queue, admit } = setup();
    for (const text of 'abcde') admit(1, 'f', text);
    expect(texts(queue.get('f')?.frames)).toBe('abc');
    expect(queue.dropped).toBe(2);
  });

  test('bounds the flows of an endpoint', () => {
    const { queue, admit } = setup();
    for (let i = 0; i < 10; i++) admit(1, `f${i}`);
    expect(queue.size.flows).toBe(LIMITS.flowsPerEndpoint);
    expect(admit(2, 'g')).toBe(true);
  });

  test('when full, an endpoint that holds little takes from the one that holds most', () => {
    const { queue, admit } = setup();
    for (let i = 0; i < 8; i++) admit(1, `f${i % 4}`, String(i));
    expect(queue.size.frames).toBe(8);
    expect([admit(2, 'g', 'a'), admit(2, 'g', 'b'), admit(2, 'h', 'c')]).toEqual([true, false, true]);
    expect(queue.size.frames).toBe(8);
    expect(texts(queue.take('g')?.frames)).toBe('ab');
    expect(texts(queue.take('f0')?.frames)).toBe('04');
  });

  test('when full, the endpoint that holds most gets nothing more', () => {
    const { queue, admit } = setup();
    for (let i = 0; i < 8; i++) admit(1, `f${i % 4}`, String(i));
    admit(1, 'f0');
    expect(queue.dropped).toBe(1);
    expect(queue.size.frames).toBe(8);
  });

  test('takes out what has waited too long', () => {
    const { queue, admit } = setup();
    admit(1, 'f', 'a', 10n);
    admit(1, 'g', 'b', 20n);
    admit(1, 'f', 'c', 30n);
    expect(queue.expire(20n).map(({ flow }) => flow)).toEqual(['f']);
    expect(queue.size).toEqual({ flows: 1, frames: 1 });
  });

  test('never exceeds its bounds, and every frame is held, given back or counted as dropped', () => {
    const step = fc.record({ endpoint: fc.integer({ min: 1, max: 4 }), flow: fc.integer({ min: 0, max: 6 }), take: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { queue, admit } = setup();
        let given = 0;
        let admitted = 0;
        for (const { endpoint, flow, take } of steps) {
          if (take) given += queue.take(`${endpoint}/${flow}`)?.frames.length ?? 0;
          else {
            admit(endpoint, `${endpoint}/${flow}`);
            admitted++;
          }
          expect(queue.size.frames).toBeLessThanOrEqual(LIMITS.frames);
          expect(queue.ofEndpoint(endpoint).length).toBeLessThanOrEqual(LIMITS.flowsPerEndpoint);
          expect(given + queue.size.frames + queue.dropped).toBe(admitted);
          expect([...queue.all()].reduce((n, { frames }) => n + frames.length, 0)).toBe(queue.size.frames);
          expect([...queue.all()].every(({ frames }) => frames.length > 0)).toBe(true);
        }
      }),
    );
  });
});
